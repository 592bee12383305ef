"""What the export page shows: how much there is of each grain, and who took what out before."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Model
from django.utils.translation import gettext as _

from apps.audit.models import Event
from apps.audit.selectors import events_of
from apps.audit.services import project_scope
from apps.audit.verbs import Verb
from apps.labeling.models import Annotation, ImportedPrediction, Label
from apps.projects.models import Project
from apps.transfer.formats import FileFormat, formats_for

NEWEST_EXPORTS = 10


@dataclass(frozen=True)
class Grain:
    """One choice of the page, with how many rows it has."""

    name: str
    title: str
    hint: str
    rows: int


def grains_of(project: Project) -> list[Grain]:
    answers = Annotation.objects.filter(project=project, withdrawn_at=None).count()
    return [
        Grain(
            "labels",
            _("Labels"),
            _("One row for each labeled example: what it is, and where that comes from."),
            _count(Label, project),
        ),
        Grain(
            "annotations",
            _("Answers"),
            _(
                "One row for each answer: by whom, on which suggestion, when, how long, under which guidelines. Skips too."
            ),
            answers,
        ),
        Grain(
            "predictions",
            _("Predictions"),
            _("What models outside the console said, as it was imported."),
            _count(ImportedPrediction, project),
        ),
    ]


def _count(model: type[Model], project: Project) -> int:
    return int(model._default_manager.filter(project=project).count())


def choices_of(project: Project) -> list[tuple[FileFormat, Sequence[str]]]:
    """The formats that can carry this project's answers, and the grains of each."""
    return [(each, each.grains) for each in formats_for(project)]


def exports_of(project: Project) -> list[Event]:
    return list(events_of(project_scope(project.pk), verb=Verb.DATA_EXPORTED).order_by("-sequence")[:NEWEST_EXPORTS])
