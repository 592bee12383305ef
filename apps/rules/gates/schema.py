"""The label schema may grow; a label that users see today may not vanish."""

from apps.rules.gates.gate import Evidence, Gate, GateOutcome, GateParameters, Judgment
from apps.rules.sentences import joined, listed, sentence
from apps.rules.words import count


def _judge(evidence: Evidence, parameters: GateParameters) -> Judgment:
    old, new = evidence.champion_labels, evidence.labels
    if old is None:
        return Judgment(
            GateOutcome.PASS,
            sentence("It knows {labels}; there is no champion to match.", labels=count(len(new), "label")),
        )
    lost = [label for label in old if label not in new]
    if lost:
        return Judgment(
            GateOutcome.FAIL, sentence("It no longer knows {lost}, which the champion answers.", lost=_list(lost))
        )
    grown = [label for label in new if label not in old]
    if grown:
        return Judgment(
            GateOutcome.PASS, sentence("It knows all the champion's labels and adds {grown}.", grown=_list(grown))
        )
    return Judgment(GateOutcome.PASS, sentence("It knows the champion's {labels}.", labels=count(len(new), "label")))


def _list(labels: list[str], shown: int = 3) -> str:
    quoted = [sentence("\u201c{label}\u201d", label=label) for label in labels[:shown]]
    if len(labels) > shown:
        return sentence("{some} and {more} more", some=joined(quoted, ", "), more=len(labels) - shown)
    return listed(quoted)


SCHEMA = Gate("schema", "It knows the labels", _judge, parameters=GateParameters)
