"""The task types by name. A new one is one more line in TASK_TYPES."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.projects.task_types.image import ImagePayload
from apps.projects.task_types.pair import PairPayload
from apps.projects.task_types.payload import Payload, PayloadKind
from apps.projects.task_types.tabular import TabularPayload
from apps.projects.task_types.text import TextPayload
from apps.rules.answers import AnswerKind, Boxes, Choice, Choices, Spans
from apps.rules.registry import Registry

# Which text is better, or none: a rater who is made to choose between two equals or two bad ones writes down noise.
PAIR_LABELS, PAIR_KEYS = ("A", "B", "Tie", "Both bad"), ("A", "B", "T", "N")  # N: neither


@dataclass(frozen=True)
class TaskType:
    """What is shown, what can be said about it, and whether a model can learn it here."""

    name: str
    title: str | Promise
    payload: PayloadKind
    answer: AnswerKind
    learns: bool = False  # a learner of its pair is registered in workers/training/learners
    reads_vectors: bool = False  # whether its learner reads embeddings, and not the payloads themselves
    labels: tuple[str, ...] = ()  # the schema where the type itself fixes it
    label_keys: tuple[str, ...] = ()  # their keys at the desk; none are chosen like those of any label

    @property
    def kind(self) -> str:
        """The payload's name: what the desk paints."""
        return self.payload.name

    @property
    def structured(self) -> bool:
        """Whether an answer is more than one label, and so kept as JSON."""
        return self.answer.structured

    @property
    def example_template(self) -> str:
        return self.payload.template

    @property
    def answer_template(self) -> str:
        """The controls of the desk; its script is static/desk/<answer>.js."""
        return f"labeling/_answer_{self.answer.name}.html"

    @property
    def bulk_template(self) -> str:
        """The controls that give one answer to many examples, for an answer that can be given so."""
        return f"labeling/_bulk_{self.answer.name}.html"

    @property
    def columns(self) -> str | Promise:
        """In words, for the upload page."""
        return self.payload.columns

    def read(self, row: Mapping[str, Any]) -> Payload:
        """Check one row. Raises PayloadRefused with a sentence."""
        return self.payload.read(row)

    def summary(self, fields: Mapping[str, Any], external_id: str) -> str:
        """One line for lists, by which a person tells two examples apart."""
        return self.payload.summary(fields, external_id)


_TEXT, _IMAGE, _TABLE, _PAIR = TextPayload(), ImagePayload(), TabularPayload(), PairPayload()
TASK_TYPES = Registry[TaskType](
    group="fastloop.task_types",
    noun="task type",
    kind=TaskType,
    own=(
        TaskType("text-classification", _("Text, one label"), _TEXT, Choice(), learns=True, reads_vectors=True),
        TaskType("image-classification", _("Image, one label"), _IMAGE, Choice(), learns=True),
        TaskType("tabular-classification", _("Table row, one label"), _TABLE, Choice(), learns=True),
        TaskType("text-multilabel", _("Text, any number of labels"), _TEXT, Choices(), reads_vectors=True),
        TaskType("image-multilabel", _("Image, any number of labels"), _IMAGE, Choices()),
        TaskType("text-spans", _("Text, named spans"), _TEXT, Spans(), reads_vectors=True),
        TaskType("image-boxes", _("Image, named boxes"), _IMAGE, Boxes()),
        TaskType(
            "text-preference", _("Two texts, the better one"), _PAIR, Choice(), labels=PAIR_LABELS, label_keys=PAIR_KEYS
        ),
    ),
)


def get(name: str) -> TaskType:
    """Raises UnknownName with the types that there are."""
    return TASK_TYPES[name]


def choices() -> list[tuple[str, str | Promise]]:
    return [(each.name, each.title) for each in TASK_TYPES.values()]
