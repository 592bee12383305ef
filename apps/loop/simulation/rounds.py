"""Play rounds of the loop: select, label, train, evaluate, release; and measure each on what the champion really answers."""

import base64
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from django.utils import timezone

from apps.accounts.models import User
from apps.evaluation.models import Outcome, Report
from apps.integrations import wiring
from apps.labeling.models import Frontier
from apps.labeling.selectors import counts_of
from apps.loop import services as loop
from apps.loop.simulation import people
from apps.loop.simulation.source import Item, Source
from apps.projects.models import Project
from apps.projects.services import LabelSpec, project_create
from apps.releases.models import ModelVersion, Promotion
from apps.releases.services import model_promote
from apps.rules import metrics
from apps.slas.models import Lap
from apps.training.models import Run, RunState, Trigger

BATCH = 1000  # rows sent to the ingestion at once
ASK = 256  # test rows in one request to the predictor
LOOK_EVERY_S = 0.03
PATIENCE_S = 1800.0
LAP_WITHIN_S = 2.0  # it is written right after the predictor’s word
REASON = "Simulated: the scripted engineer promotes every model that failed no gate."


class SimulationStopped(RuntimeError):
    """A stage did not come to its end; the message says which and why."""


@dataclass(frozen=True)
class Plan:
    strategy: str
    labels_per_round: int
    rounds: int
    annotators: int
    seed: int
    kind: str


@dataclass
class Clock:
    """Seconds by stage within one round."""

    seconds: dict[str, float] = field(default_factory=dict)

    def time(self, stage: str, step: Callable[[], Any]) -> Any:
        began = time.perf_counter()
        found = step()
        self.seconds[stage] = round(time.perf_counter() - began, 3)
        return found


def project_from(source: Source, *, name: str, strategy: str, by: User) -> Project:
    """A project with all train rows in its pool, none labeled. The trigger is off: the script says when to train."""
    project = project_create(
        name=name, task_type=source.task_type, labels=[LabelSpec(x) for x in source.labels], strategy=strategy,
        guidelines=f"Simulated on {source.name}.", by=by, at=timezone.now(),
    )  # fmt: skip
    Trigger.objects.create(project=project, enabled=False)
    for start in range(0, len(source.train), BATCH):
        rows = [item.values for item in source.train[start : start + BATCH]]
        loop.batch_take(project=project, rows=rows, source="simulate", by=by, at=timezone.now())
    return project


def play(project: Project, source: Source, plan: Plan, *, by: User) -> Iterator[dict[str, Any]]:
    """One dict a round, in the form that `simulate --json` prints."""
    truth = {item.external_id: item.label for item in source.train}
    staff = people.annotators(project, plan.annotators, by=by, at=timezone.now())
    for number in range(1, plan.rounds + 1):
        clock = Clock()
        clock.time("select", partial(_wait_for_order, project))
        clock.time("label", partial(_label, project, staff, truth, plan, number))
        last_label = timezone.now()
        run: Run = clock.time("train", partial(_train, project, plan, by))
        report: Report = clock.time("evaluate", partial(_verdict, run))
        promotion: Promotion | None = clock.time("release", partial(_release, project, report, by))
        lap = _lap_of(promotion) if promotion else None
        served_at = promotion.serving_at if promotion else None
        yield {
            "round": number,
            "labels": counts_of(project).labeled,
            **test_measures(project, source.test),
            "holdout_accuracy": report.metrics["accuracy"]["value"],
            "seconds": clock.seconds,
            "data_to_deploy_s": round((served_at - last_label).total_seconds(), 3) if served_at else None,
            "lap_p90_s": round(lap.p90_s, 3) if lap else None,
            "run": run.number,
            "kind": run.kind,
            "verdict": report.outcome,
            "released": promotion is not None,
        }


def _label(project: Project, staff: Sequence[User], truth: Mapping[str, str], plan: Plan, number: int) -> int:
    seed = plan.seed * 10_007 + number  # another seed may not meet this one's lanes again
    return people.label_round(project, staff, truth, plan.labels_per_round, seed=seed)


def _wait_for_order(project: Project) -> None:
    """Until the active lane is ordered by the newest model that did not fail; at once before the first."""
    newest = ModelVersion.objects.filter(project=project).exclude(report__outcome=Outcome.FAIL).first()
    if newest is None:
        return
    _until(
        lambda: Frontier.objects.filter(project=project, run_number__gte=newest.run.number).exists(), "scoring the pool"
    )


def _train(project: Project, plan: Plan, by: User) -> Run:
    run = loop.run_start_now(
        project=project, kind=plan.kind, by=by, at=timezone.now(), reason="Simulated round.", seed=plan.seed
    )

    def ended() -> Run | None:
        now = Run.objects.get(pk=run.pk)
        return None if now.is_open else now

    found: Run = _until(ended, f"training run {run.number}")
    if found.state != RunState.COMPLETED:
        raise SimulationStopped(f"Run {run.number} {found.get_state_display().lower()}: {found.error}")
    return found


def _verdict(run: Run) -> Report:
    report: Report = _until(
        lambda: ModelVersion.objects.filter(run=run).exists() and Report.objects.filter(run=run).first(),
        f"the verdict on run {run.number}",
    )
    return report


def _release(project: Project, report: Report, by: User) -> Promotion | None:
    """Promote what failed no gate, and wait until the predictor really answers with it."""
    if report.outcome == Outcome.FAIL:
        return None
    version = ModelVersion.objects.get(report=report)
    promotion = model_promote(version=version, reason=REASON, by=by, at=timezone.now())
    _until(
        lambda: Promotion.objects.filter(pk=promotion.pk, serving_at__isnull=False).exists(),
        f"v{version.number} to serve",
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


def _until(look: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(LOOK_EVERY_S)
    raise SimulationStopped(f"Waited {PATIENCE_S / 60:.0f} min for {what}. The workers’ lines say why.")


def test_measures(project: Project, test: Sequence[Item]) -> dict[str, float | None]:
    """Accuracy, macro-F1 and log-loss of the champion's answers over the wire; None where there are no test rows."""
    if not test:
        return {"accuracy": None, "macro_f1": None, "log_loss": None}
    answers = [ask(project, test[i : i + ASK]) for i in range(0, len(test), ASK)]
    names = answers[0][0]
    probabilities = np.concatenate([p for _, p in answers])
    truth = np.array([names.index(item.label) for item in test], np.int64)
    return {
        "accuracy": round(metrics.accuracy(truth, probabilities), 4),
        "macro_f1": round(metrics.macro_f1(truth, probabilities), 4),
        "log_loss": round(metrics.log_loss(truth, probabilities), 4),
    }


def ask(project: Project, items: Sequence[Item]) -> tuple[list[str], "np.ndarray[Any, np.dtype[np.float64]]"]:
    """One request to the champion -> label names (classes,), probabilities (n, classes)."""
    answer: dict[str, Any] = wiring.predictor.infer(
        model=project.slug, request={"inputs": INPUTS[project.task_type]([i.values for i in items])}
    )
    outputs = {o["name"]: o for o in answer["outputs"]}
    found = outputs["probabilities"]
    return answer["parameters"]["labels"].split("\n"), np.asarray(found["data"], float).reshape(found["shape"])


def _one_input(name: str, data: list[Any]) -> list[dict[str, Any]]:
    return [{"name": name, "shape": [len(data)], "datatype": "BYTES", "data": data}]


def _table_inputs(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    names = [k for k in rows[0] if k not in ("id", "timestamp", "group")]
    return [_column(name, [row.get(name) for row in rows]) for name in names]


def _column(name: str, values: list[Any]) -> dict[str, Any]:
    if all(v is None or isinstance(v, int | float) for v in values):
        return {
            "name": name,
            "shape": [len(values)],
            "datatype": "FP64",
            "data": [None if v is None else float(v) for v in values],
        }
    return {
        "name": name,
        "shape": [len(values)],
        "datatype": "BYTES",
        "data": [None if v is None else str(v) for v in values],
    }


INPUTS: dict[str, Callable[[list[dict[str, Any]]], list[dict[str, Any]]]] = {
    "text-classification": lambda rows: _one_input("text", [r["text"] for r in rows]),
    "image-classification": lambda rows: _one_input("image", [base64.b64encode(r["image"]).decode() for r in rows]),
    "tabular-classification": _table_inputs,
}
