"""Which kind of run mends what an alarm found, and why."""

from dataclasses import dataclass

from apps.rules.mending.evidence import ContradictedAnswers
from apps.rules.mending.shifts import ShiftKind
from apps.rules.monitors import MonitorCause
from apps.rules.sentences import sentence

CHANCE = 0.01  # that labels which contradict a model no more than ever ask for a run in full


@dataclass(frozen=True, slots=True)
class KindAdvice:
    kind: str
    because: str


def kind_for(cause: str, wanted: str | None, shift: str = "", found: ContradictedAnswers | None = None) -> KindAdvice:
    """The policy's kind where it names one. Where answers are wrong that were right, old labels teach what holds no longer: all is
    weighed anew, in full. So it is where the new labels surely contradict the answers: a few steps from the model's weights do not
    leave what it is sure of. Else what was learned still holds, and the new labels are added. `shift` is the kind of shift, where
    it is known."""
    if wanted:
        return KindAdvice(wanted, sentence("The alarm policy says so."))
    if cause == MonitorCause.LOSS if not shift else shift == ShiftKind.CONCEPT:
        return KindAdvice(
            "full", sentence("In full, because what was right is wrong now: old labels weigh no more than new.")
        )
    if found is not None and found.is_sure(CHANCE):
        words = sentence(
            "In full, because {n} of its {of} labels contradict what was answered.", n=found.contradicted, of=found.of
        )
        return KindAdvice("full", words)
    return KindAdvice(
        "incremental", sentence("Incremental, because what comes in moved and what was learned still holds.")
    )
