"""Read examples, ingestions and dead letters."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Count, Max, Q, QuerySet
from django.utils.translation import gettext

from apps.datasets.models import DeadLetter, Example, ExampleBlob, Ingestion
from apps.errors import NotFound
from apps.projects import task_types
from apps.projects.models import Project


@dataclass(frozen=True)
class DataCounts:
    examples: int
    holdout: int
    dead_letters: int


def counts_of(project: Project) -> DataCounts:
    found = Example.objects.filter(project=project).aggregate(all=Count("id"), held=Count("id", filter=Q(holdout=True)))
    return DataCounts(found["all"], found["held"], DeadLetter.objects.filter(project=project).count())


def examples_of(project: Project, *, text: str = "", holdout: bool | None = None) -> QuerySet[Example]:
    """Newest first; `text` looks into the id and the stored fields."""
    examples = Example.objects.filter(project=project).order_by("-id")
    if text:
        examples = examples.filter(Q(external_id__icontains=text) | Q(fields__icontains=text))
    return examples if holdout is None else examples.filter(holdout=holdout)


def ingestions_of(project: Project) -> QuerySet[Ingestion]:
    return Ingestion.objects.filter(project=project).select_related("by")


def ingestion_of(project: Project, ingestion_id: int) -> Ingestion:
    found = ingestions_of(project).filter(pk=ingestion_id).first()
    if found is None:
        raise NotFound(gettext("There is no such upload in this project."))
    return found


def ingestions_shown(project: Project, newest: int) -> list[Ingestion]:
    """The newest, each with the commonest reason for which rows of it were refused."""
    found = list(ingestions_of(project)[:newest])
    letters = DeadLetter.objects.filter(ingestion__in=[x.pk for x in found if x.rows_refused])
    counted = letters.values_list("ingestion_id", "reason", "parts").annotate(n=Count("pk")).order_by("n", "-reason")
    commonest = {pk: (reason, parts, n) for pk, reason, parts, n in counted}
    for each in found:
        each.commonest_reason, each.commonest_parts, each.commonest_rows = commonest.get(each.pk, ("", None, 0))
    return found


def dead_letters_of(project: Project, *, ingestion_id: int | None = None) -> QuerySet[DeadLetter]:
    """Newest first; those of one upload in the order of its rows."""
    letters = DeadLetter.objects.filter(project=project).select_related("ingestion")
    return letters.filter(ingestion_id=ingestion_id).order_by("pk") if ingestion_id else letters


def image_of(project: Project, example_id: int) -> bytes:
    blob = ExampleBlob.objects.filter(example_id=example_id, example__project=project).first()
    if blob is None:
        raise NotFound(gettext("This example has no image."))
    return bytes(blob.content)


def ingestions_with_letters(project: Project) -> list[Ingestion]:
    """Newest first, for the filter of the dead letters."""
    return list(Ingestion.objects.filter(project=project, rows_refused__gt=0)[:100])


def newest_example_id(project: Project) -> int:
    """0 where there is none."""
    return Example.objects.filter(project=project).aggregate(n=Max("pk"))["n"] or 0


def fields_of(example_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """What is stored of these examples, by id."""
    return dict(Example.objects.filter(pk__in=example_ids).values_list("pk", "fields"))


def moments_given(example_ids: Sequence[int]) -> list[float] | None:
    """When each was collected, in seconds since 1970 and in the order of the ids; None unless most of them came with a moment of
    their own and at least a day lies between the first and the last. What came without one was collected when it was sent."""
    rows = Example.objects.filter(pk__in=example_ids).values_list("pk", "collected_at", "ingestion__received_at")
    moments = {pk: (collected.timestamp(), received not in (None, collected)) for pk, collected, received in rows}
    told = sum(own for _, own in moments.values())
    if not moments or 2 * told <= len(moments):
        return None
    at = [moments[pk][0] for pk in example_ids]
    return at if max(at) - min(at) >= timedelta(days=1).total_seconds() else None


def column_values(
    project: Project, example_ids: Sequence[int], names: Collection[str] = ()
) -> dict[str, tuple[Any, ...]]:
    """Values by column in the order of the ids, None where an example has none; of these columns, or of all there are."""
    featured = task_types.get(project.task_type).payload.has_features
    stored = fields_of(example_ids)
    rows = [stored.get(i, {}).get("features", {}) if featured else stored.get(i, {}) for i in example_ids]
    columns = list(names) or list(dict.fromkeys(name for row in rows for name in row))
    return {name: tuple(row.get(name) for row in rows) for name in columns}


def newest_example_ids(project: Project, most: int) -> list[int]:
    return list(Example.objects.filter(project=project).order_by("-pk").values_list("pk", flat=True)[:most])


def columns_known(project: Project, most: int = 200) -> list[str]:
    """Names of columns that the newest examples have, for whoever has to choose one."""
    return sorted(column_values(project, newest_example_ids(project, most)))


def external_ids_of(example_ids: Sequence[int]) -> dict[int, str]:
    """What people call these examples, by id."""
    return dict(Example.objects.filter(pk__in=example_ids).values_list("pk", "external_id"))


def named(project: Project, external_ids: Sequence[str]) -> dict[str, int]:
    """The ids of those examples that people call so."""
    rows = Example.objects.filter(project=project, external_id__in=set(external_ids) - {""})
    return dict(rows.values_list("external_id", "pk"))


def blobs_of(example_ids: Sequence[int]) -> dict[int, bytes]:
    """The encoded images of those that have one, by id."""
    rows = ExampleBlob.objects.filter(example_id__in=example_ids).values_list("example_id", "content")
    return {pk: bytes(content) for pk, content in rows}


def holdout_flags(example_ids: Sequence[int]) -> dict[int, bool]:
    return dict(Example.objects.filter(pk__in=example_ids).values_list("pk", "holdout"))
