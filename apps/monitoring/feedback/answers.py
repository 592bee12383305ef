"""Which answer a piece of feedback speaks of: the log by inference id, and why one cannot be meant."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from apps.monitoring.models import Feedback, Prediction
from apps.projects.models import Project
from apps.projects.selectors import LabelSchema
from apps.rules.sentences import sentence
from apps.rules.values import ValueRefused
from apps.rules.words import count

CLOCKS = timedelta(days=1)  # how far two machines' clocks may be apart before feedback is older than its answer


@dataclass(slots=True)
class AnsweredRequest:
    """The newest answer to each row of one request. `mixed` where the log of an earlier release cannot tell its rows apart."""

    rows: dict[int, Prediction] = field(default_factory=dict)
    mixed: bool = False


def answered_requests(project: Project, inference_ids: Iterable[str]) -> dict[str, AnsweredRequest]:
    """What users got under these ids, in this project alone."""
    rows = Prediction.objects.shown().filter(project=project, inference_id__in=set(inference_ids)).order_by("id")
    found: dict[str, AnsweredRequest] = {}
    for row in rows.iterator(chunk_size=2000):
        request = found.setdefault(row.inference_id, AnsweredRequest())
        before = request.rows.get(row.item)
        request.mixed = request.mixed or (before is not None and before.at == row.at)
        request.rows[row.item] = row
    return found


def joined(feedback: Feedback, request: AnsweredRequest, schema: LabelSchema) -> Feedback:
    """The same row, which now knows its answer. Raises ValueRefused where it cannot be meant."""
    answer = _meant(feedback, request.rows, request.mixed)
    if feedback.at < answer.at - CLOCKS:
        raise ValueRefused(sentence("It happened before the model answered."))
    feedback.answered_at, feedback.next_try_at = answer.at, None
    feedback.model_number, feedback.arm, feedback.predicted = answer.model_number, answer.arm, answer.label
    feedback.rollout, feedback.entity, feedback.share = answer.rollout, answer.entity, answer.share
    feedback.worth = worth_of(feedback, schema)
    return feedback


def worth_of(feedback: Feedback, schema: LabelSchema) -> float:
    """What a metric counts: whether the label is the one that was answered, or the number."""
    if feedback.value is not None:
        return feedback.value
    said, predicted = schema.today([feedback.label, feedback.predicted])
    return float(said == predicted)


def _meant(feedback: Feedback, rows: Mapping[int, Prediction], mixed: bool) -> Prediction:
    if mixed:
        raise ValueRefused(sentence("The request had several rows, and the log of that time cannot tell them apart."))
    if len(rows) > 1 and not feedback.item_said:
        raise ValueRefused(
            sentence(
                "The request had {counted}: say which is meant with “item”, from 0.", counted=count(len(rows), "row")
            )
        )
    if feedback.item not in rows:
        raise ValueRefused(
            sentence(
                "The request had {counted}, so there is no item {item}.",
                counted=count(len(rows), "row"),
                item=feedback.item,
            )
        )
    return rows[feedback.item]
