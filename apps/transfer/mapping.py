"""What the columns of a project's files are: said once, remembered, changed at any time; and a first look at a file."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, BinaryIO

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy

from apps.accounts.models import User
from apps.audit.services import event_record
from apps.audit.verbs import Verb
from apps.datasets.models import ColumnMapping
from apps.datasets.readers import FileUnreadable, Row
from apps.errors import Invalid
from apps.pages.sentences import refusal
from apps.projects import task_types
from apps.projects.models import Project
from apps.projects.selectors import schema_of
from apps.rules.sentences import sentence
from apps.rules.values import MOST_ID, ValueRefused, header_of, looks, same_name, shown
from apps.transfer.formats import format_of, read_with
from apps.transfer.naming import FEATURE, IGNORE, Naming
from apps.transfer.rows import COLUMNS

SHOWN_ROWS = 10
MOST_COLUMNS = 500
OPTIONAL = frozenset({"prompt"})  # of a payload's columns
ROLES: dict[str, str | Promise] = {
    "": gettext_lazy("as it is named"),
    "id": gettext_lazy("id"),
    "text": gettext_lazy("text"),
    "image": gettext_lazy("image"),
    "prompt": gettext_lazy("prompt"),
    "a": gettext_lazy("text A"),
    "b": gettext_lazy("text B"),
    FEATURE: gettext_lazy("feature"),
    "label": gettext_lazy("label"),
    "collected_at": gettext_lazy("time it was collected"),
    "group": gettext_lazy("group: one side of the holdout"),
    IGNORE: gettext_lazy("leave it out"),
}
_HINTS = {
    "id": ("id", "uuid", "guid", "key", "identifier"),
    "label": ("label", "labels", "category", "class", "target", "sentiment", "tag", "intent", "topic"),
    "collected_at": ("time", "date", "created", "created at", "created_at", "datetime", "when", "sent at", "received"),
    "text": (
        "text",
        "message",
        "body",
        "content",
        "sentence",
        "comment",
        "review",
        "sms",
        "tweet",
        "question",
        "document",
    ),
    "image": ("image", "picture", "photo", "img", "png"),
    "a": ("a", "answer a", "response a", "first", "chosen"),
    "b": ("b", "answer b", "response b", "second", "rejected"),
    "prompt": ("prompt", "question", "instruction"),
}


@dataclass(frozen=True)
class FirstLook:
    """The columns of a file in its order, and its first rows as text, (rows, columns)."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def values_of(self, column: str) -> list[str]:
        return [row[self.columns.index(column)] for row in self.rows]


def mapping_of(project: Project) -> ColumnMapping | None:
    return ColumnMapping.objects.filter(project=project).first()


def naming_of(project: Project) -> Naming:
    found = mapping_of(project)
    payload = task_types.get(project.task_type).payload
    return Naming(payload, found.roles, found.make_ids) if found else Naming(payload)


def roles_for(project: Project) -> dict[str, str | Promise]:
    """What a column of this project's files can be."""
    payload = task_types.get(project.task_type).payload
    own = {*payload.column_names, *([FEATURE] if payload.has_features else [])}
    everywhere = {"", "id", "label", "collected_at", "group", IGNORE}
    return {role: words for role, words in ROLES.items() if role in own | everywhere}


@transaction.atomic
def mapping_set(*, project: Project, roles: Mapping[str, str], make_ids: bool, by: User, at: datetime) -> ColumnMapping:
    """Remember what the columns are. Raises Invalid in words."""
    checked = _checked(project, roles)
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    mapping, _ = ColumnMapping.objects.update_or_create(
        project=project, defaults={"roles": checked, "make_ids": make_ids, "set_at": at}
    )
    _recorded(project, checked, make_ids, sentence("{by} said what the columns of files are.", by=by), by, at)
    return mapping


@transaction.atomic
def mapping_forget(*, project: Project, by: User, at: datetime) -> None:
    """From now on every column is what it is called."""
    deleted, _ = ColumnMapping.objects.filter(project=project).delete()
    if deleted:
        _recorded(project, {}, False, sentence("{by} forgot what the columns of files are.", by=by), by, at)


def _recorded(project: Project, roles: dict[str, str], make_ids: bool, words: str, by: User, at: datetime) -> None:
    after = {"roles": roles, "make_ids": make_ids}
    subject = f"project {project.pk}"
    event_record(
        project_id=project.pk, verb=Verb.COLUMNS_SET, subject=subject, by=by, at=at, sentence=words, after=after
    )


def _checked(project: Project, roles: Mapping[str, str]) -> dict[str, str]:
    known, found = roles_for(project), {column: role for column, role in roles.items() if role}
    if len(found) > MOST_COLUMNS:
        raise Invalid(gettext("At most {n} columns are remembered.").format(n=MOST_COLUMNS), field="roles")
    for role in found.values():
        if role not in known:
            sentence = gettext("“{role}” is nothing that a column can be here. Known are {known}.")
            names = ", ".join(name for name in known if name)
            raise Invalid(sentence.format(role=shown(role), known=names), field="roles")
        if role not in (FEATURE, IGNORE) and list(found.values()).count(role) > 1:
            raise Invalid(gettext("Two columns are given as “{role}”.").format(role=ROLES[role]), field="roles")
    try:
        header_of(list(found), ())
    except ValueRefused as refused:
        raise Invalid(refusal(refused), field="roles") from refused
    return found


def first_look(project: Project, file: BinaryIO, filename: str) -> FirstLook | None:
    """None where the file is no table, or nothing of it can be read as rows: its reading says why."""
    with suppress(FileUnreadable):
        if not format_of(file, filename).mapped:
            return None
        rows = list(islice(_whole_rows(read_with(project, file, filename)), SHOWN_ROWS))
        columns = tuple(dict.fromkeys(str(name) for row in rows for name in row))[:MOST_COLUMNS]
        if columns:
            return FirstLook(columns, tuple(tuple(_cell(row.get(name)) for name in columns) for row in rows))
    return None


def _whole_rows(rows: Iterator[Row]) -> Iterator[Mapping[str, Any]]:
    for row in islice(rows, 1000):
        if row.values is not None:
            yield row.values


def _cell(value: Any) -> str:
    if value is None or value != value:
        return ""
    return f"{len(value):,} bytes" if isinstance(value, bytes) else shown(value, MOST_ID)


def asks(project: Project, look: FirstLook) -> bool:
    """Whether somebody has to say what the columns are: no id, or nothing that an example of this project shows."""
    naming = naming_of(project)
    try:
        names = [name for name in naming.header(look.columns).names if name]
    except ValueRefused:
        return True
    has_id = naming.make_ids or "id" in names or "external_id" in names
    payload = naming.payload
    wanted = set(payload.column_names) - OPTIONAL
    shows = wanted <= set(names) if wanted else any(not naming.knows(name) for name in names)
    speaks = any(name == "label" or name in COLUMNS for name in names)  # of examples that are here
    return not has_id or not (shows or speaks)


def guessed(project: Project, look: FirstLook) -> dict[str, str]:
    """What each column probably is, by its name and its first values: a beginning for the person who says it."""
    remembered = mapping_of(project)
    payload = task_types.get(project.task_type).payload
    found: dict[str, str] = dict.fromkeys(look.columns, FEATURE if payload.has_features else IGNORE)
    for role in ("id", *payload.column_names, "label", "collected_at"):
        column = _likely(project, look, role, [c for c in look.columns if found[c] in (FEATURE, IGNORE)])
        if column is not None:
            found[column] = role
    return found | {c: r for c, r in (remembered.roles if remembered else {}).items() if c in found}


def _likely(project: Project, look: FirstLook, role: str, free: Sequence[str]) -> str | None:
    named = next((c for hint in _HINTS.get(role, (role,)) for c in free if looks(c) == hint), None)
    if named is not None:
        return named
    by_values = _BY_VALUES.get(role)
    return by_values(project, look, free) if by_values and free else None


def _with_labels(project: Project, look: FirstLook, free: Sequence[str]) -> str | None:
    names = [label.name for label in schema_of(project).labels]
    return next((c for c in free if _all(look.values_of(c), lambda v: same_name(v, names) is not None)), None)


def _longest(project: Project, look: FirstLook, free: Sequence[str]) -> str | None:
    return max(free, key=lambda c: sum(map(len, look.values_of(c))))


def _all(values: Sequence[str], holds: Callable[[str], bool]) -> bool:
    given = [value for value in values if value]
    return bool(given) and all(holds(value) for value in given)


_BY_VALUES = {"label": _with_labels, "text": _longest}
