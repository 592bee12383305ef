"""Play rounds of the loop: select, label, train, evaluate, release; and measure each on what the champion really answers."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.utils import timezone

from apps.accounts.models import User
from apps.cases.simulation import people
from apps.cases.simulation.exam import test_measures
from apps.cases.simulation.source import SimulationSource
from apps.cases.simulation.waiting import LOOK_EVERY_S, until, wait_for_order
from apps.cases.simulation.waiting import SimulationStopped as SimulationStopped
from apps.evaluation.models import Outcome, Report
from apps.labeling.selectors import counts_of
from apps.loop import services as loop
from apps.loop.setup.services import project_open
from apps.projects.models import Project
from apps.projects.services import LabelSpec
from apps.releases.models import ModelVersion, Promotion
from apps.releases.services import model_promote
from apps.slas.models import Lap
from apps.training.models import Run, RunState, RunTrigger, Trigger

BATCH = 1000  # rows sent to the ingestion at once
VERDICT_WITHIN_S, SERVES_WITHIN_S = 900.0, 300.0  # a model that does not load is never served
LAP_WITHIN_S = 2.0  # it is written right after the predictor’s word
REASON = "Simulated: the scripted engineer promotes every model that failed no gate."


@dataclass(frozen=True)
class SimulationPlan:
    strategy: str
    labels_per_round: int
    rounds: int
    annotators: int
    seed: int
    kind: str
    until_score: float | None = None  # test accuracy at which to stop before `rounds` are played


@dataclass
class RoundClock:
    """Seconds by stage within one round."""

    seconds: dict[str, float] = field(default_factory=dict)

    def time(self, stage: str, step: Callable[[], Any]) -> Any:
        began = time.perf_counter()
        found = step()
        self.seconds[stage] = round(time.perf_counter() - began, 3)
        return found


def project_from(
    source: SimulationSource, *, name: str, strategy: str, by: User, labels_per_round: int = 50
) -> Project:
    """A project with all train rows in its pool, none labeled.

    The trigger is off, the script says when to train; its number tells the strategy how large a batch is.
    """
    project = project_open(
        name=name,
        task_type=source.task_type,
        labels=[LabelSpec(x) for x in source.labels],
        strategy=strategy,
        guidelines=f"Simulated on {source.name}.",
        by=by,
        at=timezone.now(),
    )
    Trigger.objects.create(project=project, enabled=False, new_labels=labels_per_round)
    for start in range(0, len(source.train), BATCH):
        rows = [item.values for item in source.train[start : start + BATCH]]
        loop.batch_take(project=project, rows=rows, source="simulate", by=by, at=timezone.now())
    return project


def play(project: Project, source: SimulationSource, plan: SimulationPlan, *, by: User) -> Iterator[dict[str, Any]]:
    """One dict a round, in the form that `simulate --json` prints; ends early at the score or with an empty queue."""
    truth = {item.external_id: item.label for item in source.train}
    staff = people.annotators(project, plan.annotators, by=by, at=timezone.now())
    for number in range(1, plan.rounds + 1):
        clock = RoundClock()
        clock.time("select", partial(wait_for_order, project))
        if not clock.time("label", partial(_label, project, staff, truth, plan, number)):
            return
        last_label = timezone.now()
        run: Run = clock.time("train", partial(_train, project, plan, by))
        report: Report = clock.time("evaluate", partial(_verdict, run))
        promotion: Promotion | None = clock.time("release", partial(_release, project, report, by))
        lap = _lap_of(promotion) if promotion else None
        served_at = promotion.serving_at if promotion else None
        measured = test_measures(project, source.test)
        yield {
            "round": number,
            "labels": counts_of(project).labeled,
            **measured,
            "holdout_accuracy": report.metrics["accuracy"]["value"],
            "seconds": clock.seconds,
            "data_to_deploy_s": round((served_at - last_label).total_seconds(), 3) if served_at else None,
            "lap_p90_s": round(lap.p90_s, 3) if lap else None,
            "run": run.number,
            "kind": run.kind,
            "verdict": report.outcome,
            "released": promotion is not None,
        }
        if reached(measured["accuracy"], plan.until_score):
            return


def reached(accuracy: float | None, score: float | None) -> bool:
    return accuracy is not None and score is not None and accuracy >= score


def _label(project: Project, staff: Sequence[User], truth: Mapping[str, str], plan: SimulationPlan, number: int) -> int:
    seed = plan.seed * 10_007 + number  # another seed may not meet this one's lanes again
    return people.label_round(project, staff, truth, plan.labels_per_round, seed=seed)


def _train(project: Project, plan: SimulationPlan, by: User) -> Run:
    run = loop.run_start_now(
        project=project,
        kind=plan.kind,
        by=by,
        at=timezone.now(),
        reason="A round of simulate.",
        seed=plan.seed,
        trigger_type=RunTrigger.SIMULATED,
    )

    def ended() -> Run | None:
        now = Run.objects.get(pk=run.pk)
        return None if now.is_open else now

    found: Run = until(ended, f"training run {run.number}")
    if found.state != RunState.COMPLETED:
        raise SimulationStopped(f"Run {run.number} {found.get_state_display().lower()}: {found.error}")
    return found


def _verdict(run: Run) -> Report:
    report: Report = until(
        lambda: ModelVersion.objects.filter(run=run).exists() and Report.objects.filter(run=run).first(),
        f"the verdict on run {run.number}",
        within_s=VERDICT_WITHIN_S,
    )
    return report


def _release(project: Project, report: Report, by: User) -> Promotion | None:
    """Promote what failed no gate, and wait until the predictor really answers with it."""
    if report.outcome == Outcome.FAIL:
        return None
    version = ModelVersion.objects.get(report=report)
    promotion = model_promote(version=version, reason=REASON, by=by, at=timezone.now())
    until(
        lambda: Promotion.objects.filter(pk=promotion.pk, serving_at__isnull=False).exists(),
        f"v{version.number} to serve",
        within_s=SERVES_WITHIN_S,
    )
    promotion.refresh_from_db()
    return promotion


def _lap_of(promotion: Promotion) -> Lap | None:
    """The lap that this promotion closed; None when its model saw no label first."""
    deadline = time.monotonic() + LAP_WITHIN_S
    while time.monotonic() < deadline:
        lap = Lap.objects.filter(promotion_id=promotion.pk).first()
        if lap:
            return lap
        time.sleep(LOOK_EVERY_S)
    return None
