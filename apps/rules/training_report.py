"""What a run says of itself while it trains: one shape from the training loop to the row of its curve."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TrainingReport:
    """Losses in nats, accuracy a share. The holdout's curve is for people, no decision reads it.

    `seconds_left` is None while it would be a guess.
    """

    step: int
    steps_total: int
    epoch: float
    train_loss: float
    validation_loss: float | None
    holdout_accuracy: float | None
    holdout_loss: float | None
    learning_rate: float | None
    samples_per_s: float
    seconds_left: float | None
    device: str
    device_percent: float | None = None  # of the GPU, or of all cores
    memory_mb: float | None = None  # the peak on the GPU, or what the process holds

    @property
    def line(self) -> str:
        """For the run's log."""
        line = f"step {self.step}  epoch {self.epoch:.1f}  loss {self.train_loss:.4f}"
        if self.validation_loss is not None:
            line += f"  validation {self.validation_loss:.4f}"
        if self.holdout_accuracy is not None:
            line += f"  holdout {self.holdout_accuracy:.3f}"
        if self.learning_rate is not None:
            line += f"  lr {self.learning_rate:.1e}"
        return f"{line}  {self.samples_per_s:,.0f} examples/s"
