"""The label schema may grow; a label that users see today may not vanish."""

from apps.rules.gates.gate import Evidence, Gate, GateLimits, GateOutcome, Judgment
from apps.rules.words import count


def _judge(evidence: Evidence, limits: GateLimits) -> Judgment:
    old, new = evidence.champion_labels, evidence.labels
    if old is None:
        return Judgment(GateOutcome.PASS, f"It knows {count(len(new), 'label')}; there is no champion to match.")
    lost = [label for label in old if label not in new]
    if lost:
        return Judgment(GateOutcome.FAIL, f"It no longer knows {_list(lost)}, which the champion answers.")
    grown = [label for label in new if label not in old]
    if grown:
        return Judgment(GateOutcome.PASS, f"It knows all the champion's labels and adds {_list(grown)}.")
    return Judgment(GateOutcome.PASS, f"It knows the champion's {count(len(new), 'label')}.")


def _list(labels: list[str], shown: int = 3) -> str:
    quoted = [f"\u201c{label}\u201d" for label in labels[:shown]]
    if len(labels) > shown:
        return ", ".join(quoted) + f" and {len(labels) - shown} more"
    return quoted[0] if len(quoted) == 1 else ", ".join(quoted[:-1]) + f" and {quoted[-1]}"


SCHEMA = Gate("schema", "It knows the labels", _judge)
