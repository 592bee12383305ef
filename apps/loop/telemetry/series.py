"""The loop's figures for Prometheus, read from what is counted already: a query each, however many projects there are."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from django.db.models import Count, QuerySet

from apps.monitoring.models import Alert
from apps.projects.selectors import projects_in_use
from apps.releases.models import OPEN_PHASES, Rollout
from apps.slas.models import Lap, Stage, StageTiming
from apps.training.models import Run, RunState

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Series:
    """One name of `/metrics` with its values by labels."""

    name: str
    kind: Literal["gauge", "counter"]
    help: str
    values: Sequence[tuple[Labels, float]]


def series_of_the_loop() -> list[Series]:
    """By the names that dashboards know: seconds and shares as they are, counters ever since the project began."""
    slugs = dict(projects_in_use().values_list("pk", "slug"))
    newest = Lap.objects.filter(project__in=slugs).order_by("project_id", "-number").distinct("project_id")
    laps = {lap.pk: lap for lap in newest}
    stages = list(StageTiming.objects.filter(lap__in=laps))
    return [
        Series(
            "fastloop_stage_duration_seconds",
            "gauge",
            "Wait and work of a stage in the newest lap, of the label that nine in ten are faster than",
            [
                ((("project", slugs[laps[each.lap_id].project_id]), ("stage", str(each.stage))), each.total_s)
                for each in stages
            ],
        ),
        Series(
            "fastloop_data_to_deploy_seconds",
            "gauge",
            "From a label's data to a model that serves it, in the newest lap, for nine in ten labels",
            [((("project", slugs[lap.project_id]),), lap.p90_s) for lap in laps.values()],
        ),
        Series(
            "fastloop_label_delay_seconds",
            "gauge",
            "From an example to its label, in the newest lap, for half of the labels",
            [
                ((("project", slugs[laps[each.lap_id].project_id]),), each.median_wait_s + each.median_work_s)
                for each in stages
                if each.stage == Stage.ANNOTATE
            ],
        ),
        Series(
            "fastloop_sla_breach_total",
            "counter",
            "Laps that took longer than their target",
            _by_project(slugs, Lap.objects.filter(breached=True)),
        ),
        Series(
            "fastloop_canary_weight",
            "gauge",
            "Percent of the entities that meet the canary of the rollout under way; 0 without one",
            _weights(slugs),
        ),
        Series("fastloop_drift_alarm_total", "counter", "Alarms that monitors raised, by their cause", _alarms(slugs)),
        Series(
            "fastloop_train_queue_depth",
            "gauge",
            "Runs that wait for a place",
            _by_project(slugs, Run.objects.filter(state=RunState.QUEUED)),
        ),
    ]


def _by_project(slugs: dict[int, str], rows: QuerySet[Any]) -> list[tuple[Labels, float]]:
    """Counts, 0 for whom nothing is counted: a counter that begins with its first rise would hide it."""
    counted = dict(rows.filter(project__in=slugs).order_by().values_list("project_id").annotate(n=Count("pk")))
    return [((("project", slug),), float(counted.get(pk, 0))) for pk, slug in slugs.items()]


def _weights(slugs: dict[int, str]) -> list[tuple[Labels, float]]:
    open_ = Rollout.objects.filter(project__in=slugs, phase__in=OPEN_PHASES)
    weights = dict(open_.values_list("project_id", "weight"))
    return [((("project", slug),), float(weights.get(pk, 0))) for pk, slug in slugs.items()]


def _alarms(slugs: dict[int, str]) -> list[tuple[Labels, float]]:
    rows = Alert.objects.filter(project__in=slugs).order_by().values_list("project_id", "kind")
    return [((("project", slugs[pk]), ("cause", cause)), float(n)) for pk, cause, n in rows.annotate(n=Count("pk"))]


def exposition(series: Sequence[Series]) -> str:
    """In Prometheus' text format 0.0.4."""
    return "\n".join(line for each in series for line in _lines(each)) + "\n"


def _lines(series: Series) -> Iterator[str]:
    yield f"# HELP {series.name} {series.help}."
    yield f"# TYPE {series.name} {series.kind}"
    for labels, value in series.values:
        said = ",".join(f'{name}="{_escaped(text)}"' for name, text in labels)
        yield f"{series.name}{{{said}}} {value!r}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
