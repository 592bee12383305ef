"""Read examples, ingestions and dead letters."""

from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext

from apps.datasets.models import DatasetVersion, DeadLetter, Example, ExampleBlob, Ingestion
from apps.errors import NotFound
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


def dead_letters_of(project: Project, *, ingestion_id: int | None = None) -> QuerySet[DeadLetter]:
    letters = DeadLetter.objects.filter(project=project).select_related("ingestion")
    return letters.filter(ingestion_id=ingestion_id) if ingestion_id else letters


def newest_version(project: Project) -> DatasetVersion | None:
    return DatasetVersion.objects.filter(project=project).first()


def image_of(project: Project, example_id: int) -> bytes:
    blob = ExampleBlob.objects.filter(example_id=example_id, example__project=project).first()
    if blob is None:
        raise NotFound(gettext("This example has no image."))
    return bytes(blob.content)


def ingestions_with_letters(project: Project) -> list[Ingestion]:
    """Newest first, for the filter of the dead letters."""
    return list(Ingestion.objects.filter(project=project, rows_refused__gt=0)[:100])
