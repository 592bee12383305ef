"""A run with everything it led to: its verdict, its version, the champion it is compared with, its copy elsewhere."""

from dataclasses import dataclass

from django.conf import settings
from django.utils import timezone

from apps.evaluation.models import Report
from apps.evaluation.selectors import report_of
from apps.projects.models import Project
from apps.releases.models import Mirrored, ModelVersion
from apps.releases.registry.requests import needs_second_person
from apps.releases.selectors import champion_of
from apps.rules.queueing import QueuePlace
from apps.training.models import Run, RunPoint
from apps.training.selectors import run_in, runs_listed
from apps.training.waiting import places_of, turn_words


@dataclass(frozen=True)
class RunPage:
    """A run with everything it led to, and the model it is compared with."""

    run: Run
    report: Report | None
    version: ModelVersion | None
    champion: ModelVersion | None
    point: RunPoint | None  # the newest report
    earlier: tuple[Run, ...]
    place: QueuePlace | None = None  # in the queue, while it waits there
    mirrored: Mirrored | None = None  # on a tracking server, where one is set
    second_person: bool = False  # whether a release waits for one

    @property
    def turn(self) -> str:
        return turn_words(self.place) if self.place else ""

    @property
    def on_gpu(self) -> bool:
        return not self.run.device.upper().startswith("CPU")

    @property
    def may_be_promoted(self) -> bool:
        """Newer than the champion and not failed; the service judges again."""
        version = self.version
        newer = version is not None and (self.champion is None or version.number > self.champion.number)
        return bool(newer and self.report and not self.report.closes)


def run_page(project: Project, run_id: int) -> RunPage:
    run = run_in(project, run_id)
    version = ModelVersion.objects.filter(run=run).select_related("report").first()
    last = run.points.order_by("-step").first()
    earlier = runs_listed(project).filter(number__lt=run.number)[:5]
    place = places_of([run], at=timezone.now()).get(run.pk)
    champion, second = champion_of(project), version is not None and needs_second_person(project)
    return RunPage(run, report_of(run), version, champion, last, tuple(earlier), place, _mirrored(run), second)


def _mirrored(run: Run) -> Mirrored | None:
    return Mirrored.objects.filter(run=run).first() if settings.MLFLOW_TRACKING_URI else None
