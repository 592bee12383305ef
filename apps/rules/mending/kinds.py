"""Which kind of run mends what an alarm found, and why."""

from dataclasses import dataclass

from apps.rules.monitors import MonitorCause
from apps.rules.sentences import sentence


@dataclass(frozen=True, slots=True)
class KindAdvice:
    kind: str
    because: str


def kind_for(cause: str, wanted: str | None) -> KindAdvice:
    """The policy's kind where it names one. Where answers are wrong that were right, old labels teach what holds no longer: all is
    weighed anew, in full. Where only what comes in moved, what was learned still holds: the new labels are added."""
    if wanted:
        return KindAdvice(wanted, sentence("The alarm policy says so."))
    if cause == MonitorCause.LOSS:
        return KindAdvice(
            "full", sentence("In full, because what was right is wrong now: old labels weigh no more than new.")
        )
    return KindAdvice(
        "incremental", sentence("Incremental, because what comes in moved and what was learned still holds.")
    )
