"""Task types: what an example looks like and what can be said about it. A new type is one more object, never an `if`."""

from apps.projects.task_types.payloads import (
    RESERVED,
    ImagePayload,
    PairPayload,
    Payload,
    PayloadRefused,
    TabularPayload,
    TextPayload,
)
from apps.projects.task_types.registry import TaskType, choices, get, register
from apps.rules.answers import Boxes, Choice, Choices, Spans

__all__ = [
    "RESERVED",
    "ImagePayload",
    "Payload",
    "PayloadRefused",
    "TaskType",
    "TextPayload",
    "choices",
    "get",
    "register",
]

_TEXT, _IMAGE, _TABLE = TextPayload(), ImagePayload(), TabularPayload()

register(TaskType("text-classification", "Text, one label", _TEXT, Choice(), learns=True, reads_vectors=True))
register(TaskType("image-classification", "Image, one label", _IMAGE, Choice(), learns=True))
register(TaskType("tabular-classification", "Table row, one label", _TABLE, Choice(), learns=True))
register(TaskType("text-multilabel", "Text, any number of labels", _TEXT, Choices(), reads_vectors=True))
register(TaskType("image-multilabel", "Image, any number of labels", _IMAGE, Choices()))
register(TaskType("text-spans", "Text, named spans", _TEXT, Spans(), reads_vectors=True))
register(TaskType("image-boxes", "Image, named boxes", _IMAGE, Boxes()))
register(TaskType("text-preference", "Two texts, the better one", PairPayload(), Choice(), labels=("A", "B")))
