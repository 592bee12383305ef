"""Read reports."""

import io
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pyarrow.parquet as pq
from django.utils.translation import gettext

from apps.evaluation.models import LearningReport, Outcome, Report
from apps.evaluation.services import HoldoutPredictions, curve_unpacked
from apps.integrations import wiring
from apps.integrations.ports import Unavailable
from apps.labeling.selectors import median_active_s
from apps.pages.numbers import percent
from apps.projects.models import Project
from apps.rules.lift import Lift
from apps.rules.stopping import Advice, Agreement, Effort, advise
from apps.rules.words import MINUS
from apps.training.models import Run

AGREEMENTS = 5  # models back; the advice looks at the last three


def report_of(run: Run) -> Report | None:
    return Report.objects.select_related("run", "baseline_run", "gate_policy").filter(run=run).first()


def reports_until(run: Run, most: int) -> list[Report]:
    """Of this run and those before it that failed no gate, newest first."""
    until = Report.objects.filter(run__project=run.project, run__number__lte=run.number).select_related("run")
    return list(until.exclude(outcome=Outcome.FAIL, run__number__lt=run.number).order_by("-run__number")[:most])


def predictions_of(report: Report) -> HoldoutPredictions:
    table = pq.read_table(io.BytesIO(wiring.storage().read(report.predictions_url)))
    said = ("example_id", "truth", "predicted", "confidence", "champion", "champion_confidence", "margin")
    return HoldoutPredictions(*(table[name].to_pylist() if name in table.column_names else [] for name in said))


@dataclass(frozen=True)
class HoldoutSaying:
    """What one run's model said of an example of the holdout when it was judged."""

    run: Run
    truth: str
    predicted: str
    confidence: float

    @property
    def right(self) -> bool:
        return self.truth == self.predicted


SAYINGS = 10  # reports back


def sayings_of(project: Project, example_id: int) -> list[HoldoutSaying]:
    """Of the newest reports that held this example, newest first. A report whose file is gone is passed over."""
    reports = Report.objects.filter(run__project=project).exclude(predictions_url="").select_related("run")
    found = []
    for report in reports.order_by("-run__number")[:SAYINGS]:
        with suppress(Unavailable):
            content = wiring.storage().read(report.predictions_url)
            table = pq.read_table(io.BytesIO(content), filters=[("example_id", "==", example_id)])
            found += [HoldoutSaying(report.run, r["truth"], r["predicted"], r["confidence"]) for r in _rows(table)]
    return found


def _rows(table: Any) -> list[dict[str, Any]]:
    return list(table.select(["truth", "predicted", "confidence"]).to_pylist())


@dataclass(frozen=True)
class Learning:
    """What the newest measured run tells of the labeling, with today's rate. `newest` is None before the first."""

    newest: LearningReport | None
    advice: Advice | None
    saved: str  # 41 %, or a word where there is no figure
    between: str
    may_be_chance: bool = False


def newest_learning(project: Project) -> LearningReport | None:
    return LearningReport.objects.filter(project=project).first()


def runs_measured(project: Project, *, most: int = 12) -> list[tuple[int, int]]:
    """Labels that the active lane had when a run ended, and the run's number, oldest first. Not the newest: the curves
    are its own, and end with it."""
    reports = LearningReport.objects.filter(project=project).select_related("run")[1 : most + 1]
    known = [(int(r.active_points[-1]["labels"]), r.run.number) for r in reports if r.active_points]
    return known[::-1]


def learning_of(project: Project) -> Learning:
    reports = list(LearningReport.objects.filter(project=project).select_related("run")[:AGREEMENTS])
    if not reports:
        return Learning(None, None, "none", "")
    newest = reports[0]
    effort = Effort(
        seconds_per_label=median_active_s(project),
        rate_per_hour=float(project.queue.hourly_rate) if project.queue.hourly_rate is not None else None,
        currency=project.queue.currency,
    )
    agreements = [Agreement(**_without_parts(report.agreement)) for report in reversed(reports)]
    advice = advise(curve_unpacked(newest.curve), agreements, effort, seed=newest.run.seed)
    found = Lift(**_without_parts(newest.lift))
    sure = (found.low is not None and found.low > 0) or (found.high is not None and found.high < 0)
    return Learning(newest, advice, _saved(found), _between(found), may_be_chance=not sure)


def _without_parts(kept: dict[str, Any]) -> dict[str, Any]:
    """What its sentence is made of is for readers of other languages."""
    return {name: value for name, value in kept.items() if name != "parts"}


def _saved(found: Lift) -> str:
    if found.saved is not None:
        return percent(found.saved).replace("-", MINUS)
    return gettext("at its ceiling") if found.at_ceiling else gettext("needs more runs")


def _between(found: Lift) -> str:
    if found.saved is None or found.high is None:
        return ""
    high = percent(found.high).replace("-", MINUS)
    if found.low is None:
        return gettext("between never reached and {high}").format(high=high)
    low = percent(found.low).removesuffix(" %").replace("-", MINUS)
    return gettext("between {low} and {high}").format(low=low, high=high)
