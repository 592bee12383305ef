"""What a training says: while it goes on, and at its end."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from apps.rules.training_report import TrainingReport
from workers.training.models.bundle import Bundle


@dataclass(frozen=True, slots=True)
class FitResult:
    """`stopped` is "early" when validation stopped improving, else "epochs". Epochs count from 1."""

    bundle: Bundle
    best_epoch: int
    epochs_run: int
    stopped: str
    steps: int
    seconds: float
    measured: Mapping[str, float | int | None] = field(default_factory=dict)  # of a fine-tune: its throughput


@dataclass(frozen=True, slots=True)
class Listeners:
    """Who hears of a training: a report, the bytes of a checkpoint, a sentence for the log; and who may stop it."""

    on_report: Callable[[TrainingReport], None] = lambda report: None
    on_checkpoint: Callable[[bytes], None] = lambda blob: None
    on_notice: Callable[[str], None] = lambda sentence: None
    should_stop: Callable[[], bool] = lambda: False
