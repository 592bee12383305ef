"""Task types: what an example looks like and what can be said about it. A new type is one more object, never an `if`."""

from apps.projects.task_types.image import ImagePayload
from apps.projects.task_types.pair import PairPayload
from apps.projects.task_types.payload import RESERVED, Payload, PayloadKind, PayloadRefused
from apps.projects.task_types.registry import TASK_TYPES, TaskType, choices, get
from apps.projects.task_types.tabular import TabularPayload
from apps.projects.task_types.text import TextPayload

__all__ = [
    "RESERVED",
    "TASK_TYPES",
    "ImagePayload",
    "PairPayload",
    "Payload",
    "PayloadKind",
    "PayloadRefused",
    "TabularPayload",
    "TaskType",
    "TextPayload",
    "choices",
    "get",
]
