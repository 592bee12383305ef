"""The task types by name. A new one is one more `register`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apps.projects.task_types.payloads import Payload, PayloadKind
from apps.rules.answers import AnswerKind


@dataclass(frozen=True)
class TaskType:
    """What is shown, what can be said about it, and whether a model can learn it here."""

    name: str
    title: str
    payload: PayloadKind
    answer: AnswerKind
    learns: bool = False  # a learner is registered in workers/training/inputs.py
    reads_vectors: bool = False  # whether its learner reads embeddings, and not the payloads themselves
    labels: tuple[str, ...] = ()  # the schema where the type itself fixes it

    @property
    def kind(self) -> str:
        """text | image | tabular | pair: what the desk paints."""
        return self.payload.name

    @property
    def structured(self) -> bool:
        """Whether an answer is more than one label, and so kept as JSON."""
        return self.answer.name != "choice"

    @property
    def example_template(self) -> str:
        return self.payload.template

    @property
    def answer_template(self) -> str:
        """The controls of the desk; its script is static/desk/<answer>.js."""
        return f"labeling/_answer_{self.answer.name}.html"

    @property
    def columns(self) -> str:
        """In words, for the upload page."""
        return self.payload.columns

    def read(self, row: Mapping[str, Any]) -> Payload:
        """Check one row. Raises PayloadRefused with a sentence."""
        return self.payload.read(row)

    def summary(self, fields: Mapping[str, Any], external_id: str) -> str:
        """One line for lists, by which a person tells two examples apart."""
        return self.payload.summary(fields, external_id)


_registry: dict[str, TaskType] = {}


def register(task_type: TaskType) -> None:
    _registry[task_type.name] = task_type


def get(name: str) -> TaskType:
    return _registry[name]


def choices() -> list[tuple[str, str]]:
    return [(t.name, t.title) for t in _registry.values()]
