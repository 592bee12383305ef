"""When new labels are enough for a training run."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from apps.rules.words import count

IMPATIENCE = 2  # times the needed labels: then a run starts even while people go on labeling


@dataclass(frozen=True, slots=True)
class Decision:
    fire: bool
    reason: str


def due(
    now: datetime,
    *,
    new_labels: int,
    needed: int,
    last_label_at: datetime | None,
    last_run_at: datetime | None,
    debounce_s: float,
    run_open: bool,
) -> Decision:
    """Whether to start a run now.

    Labels come in bursts, so a run waits until none came for `debounce_s`, unless twice the needed number is there:
    people who never pause must not starve training. Two runs start at least `debounce_s` apart.
    """
    quiet = timedelta(seconds=debounce_s)
    if run_open:
        return Decision(False, f"A run is open; {count(new_labels, 'new label')} wait for the next.")
    if new_labels < max(needed, 1):
        return Decision(False, f"{new_labels:,} of {count(max(needed, 1), 'new label')}.")
    if last_run_at is not None and now - last_run_at < quiet:
        return Decision(False, f"The last run started less than {debounce_s:g} s ago.")
    still_coming = last_label_at is not None and now - last_label_at < quiet
    if still_coming and new_labels < IMPATIENCE * needed:
        return Decision(False, f"{count(new_labels, 'new label')}, and more are coming in.")
    return Decision(True, f"{count(new_labels, 'new label')} since the last run; {needed:,} were needed.")
