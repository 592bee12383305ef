"""One answer as a value of its kind, whichever column keeps it."""

from collections.abc import Mapping
from typing import Any, Protocol

from apps.projects.models import Project, SchemaLabel
from apps.projects.selectors import schema_of
from apps.rules.answers import Value


class StoredAnswer(Protocol):
    """A row of Annotation, Label, GoldItem or ImportedPrediction; `label` is read, so select it along."""

    label: Any
    label_id: Any
    value: Any


def value_of(row: StoredAnswer) -> Value | None:
    """`{"label": name}` or the stored JSON; None where the row says nothing, as a skip does."""
    if row.value is not None:
        return dict(row.value)
    return {"label": row.label.name} if row.label_id is not None else None


def columns_of(project: Project, value: Value) -> dict[str, Any]:
    """The columns that keep a checked value: one label as a key, every other kind as JSON."""
    if set(value) == {"label"}:
        return {"label_id": _label(project, str(value["label"])).pk, "value": None}
    return {"label_id": None, "value": value}


def _label(project: Project, name: str) -> SchemaLabel:
    label = schema_of(project).by_name(name)
    assert label is not None, "the value was checked against this schema"
    return label


def value_today(project: Project, given: Mapping[str, Any]) -> dict[str, Any]:
    """An answer as it was sent, with labels that were renamed meanwhile under the names that they have now."""
    names = {former: x.name for x in schema_of(project).labels for former in x.former_names}
    return dict(_renamed(given, names)) if names else dict(given)


def _renamed(part: Any, names: Mapping[str, str]) -> Any:
    if isinstance(part, Mapping):
        return {
            key: names.get(x, x) if key == "label" and isinstance(x, str) else _renamed(x, names)
            for key, x in part.items()
        }
    if isinstance(part, list):
        return [names.get(x, x) if isinstance(x, str) else _renamed(x, names) for x in part]
    return part
