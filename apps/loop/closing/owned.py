"""Everything that hangs on a project, found by following keys and folders, so that no table to come can be forgotten."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.apps import apps
from django.db import connection, models
from django.db.models import ForeignKey, QuerySet

from apps.projects.models import Project

# Folders of the storage that hold one more for each project, by its id; tests/loop/test_project_deleted.py looks for others.
FOLDERS = ("uploads", "shards", "versions", "models", "checkpoints", "online", "reports", "shifts")
OUTSIDE: list[
    Callable[[int], int]
] = []  # what apps above keep of a project elsewhere: each removes it and says how much


@dataclass(frozen=True)
class OwnedTable:
    """A table whose rows belong to one project each; `path` leads from a row to the project."""

    model: type[models.Model]
    path: str

    @property
    def name(self) -> str:
        return self.model._meta.db_table

    def rows(self, project_id: int) -> "QuerySet[Any]":
        return self.model._base_manager.filter(**{self.path: project_id})

    @property
    def to_itself(self) -> list[str]:
        """Keys to other rows of the same table."""
        return [key.name for key in _keys(self.model) if key.related_model is self.model]


@cache
def owned_tables() -> tuple[OwnedTable, ...]:
    """What points at a table comes before it. The project itself is not among them."""
    paths = _paths()
    ordered: list[type[models.Model]] = []
    for model in paths:
        _after_what_points_at(model, list(paths), ordered)
    return tuple(OwnedTable(model, paths[model]) for model in ordered)


def _paths() -> dict[type[models.Model], str]:
    """Each model whose rows cannot be without a project, the shortest way first."""
    found: dict[type[models.Model], str] = {}
    wave: dict[type[models.Model], str] = {Project: ""}
    while wave:
        following: dict[type[models.Model], str] = {}
        for model in apps.get_models():
            for key in _keys(model):
                known = model is Project or model in found or model in following
                if not key.null and not known and key.related_model in wave:
                    way = wave[key.related_model]
                    following[model] = f"{key.name}__{way}" if way else key.name
        found |= following
        wave = following
    return found


def _keys(model: type[models.Model]) -> "Iterator[ForeignKey[Any, Any]]":
    return (field for field in model._meta.concrete_fields if isinstance(field, ForeignKey))


def _after_what_points_at(
    model: type[models.Model], owned: list[type[models.Model]], ordered: list[type[models.Model]]
) -> None:
    """Keys of a table to itself apart, keys make no circle: `test_no_circle` holds that."""
    if model in ordered:
        return
    for other in owned:
        if other is not model and any(key.related_model is model for key in _keys(other)):
            _after_what_points_at(other, owned, ordered)
    ordered.append(model)


def loosened() -> "Iterator[tuple[type[models.Model], str, OwnedTable | None]]":
    """Rows that stay and may name what goes: model, key, and the owned table that it points at, None for the project."""
    tables = {table.model: table for table in owned_tables()}
    for model in apps.get_models():
        if model in tables or model is Project:
            continue
        for key in _keys(model):
            if key.related_model is Project or key.related_model in tables:
                yield model, key.name, tables.get(key.related_model)


def studies_forget(names: list[str]) -> int:
    """Rows of Optuna's own schema, whose library only workers load: of these studies, children first."""
    gone = 0
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name FROM information_schema.columns "
            "WHERE table_schema = 'optuna' AND column_name IN ('study_id', 'trial_id')"
        )
        columns: dict[str, set[str]] = {}
        for table, column in cursor.fetchall():
            columns.setdefault(table, set()).add(column)
        if "studies" not in columns:
            return 0
        studies = "SELECT study_id FROM optuna.studies WHERE study_name = ANY(%s)"
        trials = f"SELECT trial_id FROM optuna.trials WHERE study_id IN ({studies})"
        of_trials = [t for t, has in columns.items() if "study_id" not in has]
        of_studies = [t for t, has in columns.items() if "study_id" in has and t != "studies"]
        for table in of_trials:
            cursor.execute(f'DELETE FROM optuna."{table}" WHERE trial_id IN ({trials})', [names])
            gone += cursor.rowcount
        for table in [*of_studies, "studies"]:
            cursor.execute(f'DELETE FROM optuna."{table}" WHERE study_id IN ({studies})', [names])
            gone += cursor.rowcount
    return gone
