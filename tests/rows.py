"""Rows of a turning loop, made through the services that make them in life: labels, runs, verdicts, models."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from apps.datasets.models import DatasetVersion, Example
from apps.evaluation.models import LearningReport, Outcome, Report
from apps.evaluation.services import HoldoutPredictions, LearningPoint, learning_record, report_record
from apps.labeling.models import AutoBatch, Label, LabelSource
from apps.monitoring.models import MonitorReading
from apps.projects.models import Project
from apps.releases.models import ModelVersion
from apps.releases.services import candidate_register
from apps.rules.lift import LearningCurve, lift
from apps.rules.sentences import sentence
from apps.rules.stopping import Agreement
from apps.rules.training_report import TrainingReport
from apps.training.models import Run, RunKind, Sweep, Trial, TrialState
from apps.training.services import ownership, reporting
from apps.training.services.runs import run_start
from tests.conftest import NOON

HOUR = timedelta(hours=1)


def labeled(project: Project, n: int = 20, *, held: int = 4, at: datetime = NOON, only: str = "") -> list[Example]:
    """n labeled examples, the first `held` of them in the holdout, collected an hour before."""
    names = [only] if only else [x.name for x in project.labels.all()]
    labels = {x.name: x for x in project.labels.all()}
    start = Example.objects.filter(project=project).count()
    made = Example.objects.bulk_create(
        [
            Example(
                project=project,
                external_id=f"e{start + i}",
                fields={"text": f"text {start + i}"},
                holdout=i < held,
                collected_at=at - HOUR,
                ingested_at=at - HOUR / 2,
            )
            for i in range(n)
        ]
    )
    Label.objects.bulk_create(
        [
            Label(
                project=project,
                example=e,
                label=labels[names[i % len(names)]],
                source=LabelSource.CONSENSUS,
                holdout=e.holdout,
                shown_at=at - HOUR / 4,
                resolved_at=at,
            )
            for i, e in enumerate(made)
        ]
    )
    return made


def started(project: Project, *, at: datetime = NOON, kind: str = RunKind.FULL, base: Run | None = None) -> Run:
    return run_start(
        project=project, kind=kind, trigger=sentence("{by} asked for it.", by="Lin"), base_run=base, by=None, at=at
    )


def progress(step: int, *, of: int = 100, accuracy: float | None = 0.9) -> TrainingReport:
    return TrainingReport(
        step=step,
        steps_total=of,
        epoch=step / of * 6,
        train_loss=1.0 / (step + 1),
        validation_loss=0.5,
        holdout_loss=0.5,
        holdout_accuracy=accuracy,
        samples_per_s=1000.0,
        seconds_left=7.0,
        device="cpu",
        learning_rate=None,
    )


def trained(project: Project, *, at: datetime = NOON, base: Run | None = None, reports: int = 3) -> Run:
    """A run from its start to COMPLETED, ten minutes long."""
    run = started(project, at=at, base=base, kind=RunKind.INCREMENTAL if base else RunKind.FULL)
    run = ownership.run_claim(run_id=run.pk, at=at + timedelta(minutes=1))
    assert run.owner is not None
    number = DatasetVersion.objects.filter(project=project).count() + 1
    version = DatasetVersion.objects.create(
        project=project, number=number, url="file:///none", rows=20, holdout_rows=100, digest="d" * 64, created_at=at
    )
    reporting.run_prepared(
        run_id=run.pk,
        owner=run.owner,
        version=version,
        recipe={"epochs": 20, "batch_size": 128},
        label_names=["ham", "spam"],
        labels=20,
        new_labels=16,
        device="cpu",
        at=at,
    )
    for i in range(1, reports + 1):
        reporting.run_report(run_id=run.pk, owner=run.owner, report=progress(i * 100 // reports), at=at)
    return ownership.run_complete(
        run_id=run.pk, owner=run.owner, artifact_url="file:///m", at=at + timedelta(minutes=11)
    )


GAIN = "It is not worse than the champion"
GATES = {
    Outcome.PASS: "Accuracy +1.9 points, between +0.3 and +3.6; surely better.",
    Outcome.FAIL: "Accuracy −3.9 points, between −6.5 and −1.3; surely worse than the champion.",
    Outcome.INCONCLUSIVE: "Accuracy +0.6 points, between −2.9 and +3.6; may be chance.",
}


def judged(run: Run, outcome: Outcome = Outcome.PASS, *, baseline: Run | None = None) -> Report:
    assert run.finished_at is not None
    metric = {"value": 0.9, "low": 0.84, "high": 0.95}
    names = ("accuracy", "macro_f1", "log_loss", "calibration_error")
    difference = {"value": 0.019, "low": 0.003, "high": 0.036}
    return report_record(
        run=run,
        baseline_run=baseline,
        started_at=run.finished_at + timedelta(minutes=1),
        label_names=["ham", "spam"],
        metrics=dict.fromkeys(names, metric),
        baseline_metrics=dict.fromkeys(names, metric) if baseline else None,
        differences=dict.fromkeys(names, difference) if baseline else None,
        confusion=[[45, 5], [5, 45]],
        per_class=[
            {"label": "ham", "support": 50, "recall": 0.9, "precision": 0.9},
            {"label": "spam", "support": 50, "recall": 0.9, "precision": 0.9},
        ],
        outcome=outcome,
        gates=[{"name": "gain", "title": GAIN, "outcome": outcome, "reason": GATES[outcome]}],
        predictions=HoldoutPredictions(list(range(100)), ["ham"] * 100, ["ham", "spam"] * 50, [0.9, 0.8] * 50),
        at=run.finished_at + timedelta(minutes=2),
    )


def model(
    project: Project, outcome: Outcome = Outcome.PASS, *, at: datetime = NOON, base: Run | None = None
) -> ModelVersion:
    """A judged run, numbered as a version; the candidate unless it failed."""
    run = trained(project, at=at, base=base)
    return candidate_register(run=run, report=judged(run, outcome, baseline=base), at=at + timedelta(minutes=14))


def auto_labeled(project: Project, n: int = 3, *, at: datetime = NOON) -> AutoBatch:
    """A batch that a model labeled by itself, as a row."""
    return AutoBatch.objects.create(
        project=project,
        number=AutoBatch.objects.filter(project=project).count() + 1,
        run_number=1,
        target_precision=0.99,
        threshold=0.97,
        holdout_rows=400,
        holdout_errors=0,
        precision_low=0.9925,
        labels=n,
        audits=1,
        at=at,
    )


def swept(project: Project, trials: int = 6, *, at: datetime = NOON) -> Sweep:
    """A sweep of learning rate and width, half of its trials tried."""
    space = {
        "learning_rate": {"low": 1e-4, "high": 1e-2, "log": True},
        "hidden": {"low": 64.0, "high": 512.0, "log": False},
    }
    number = Sweep.objects.filter(project=project).count() + 1
    sweep = Sweep.objects.create(
        project=project,
        number=number,
        study_name=f"study-{project.pk}-{number}",
        space=space,
        trials_wanted=trials,
        started_at=at,
    )
    Trial.objects.bulk_create(
        [
            Trial(
                sweep=sweep,
                number=n,
                state=TrialState.COMPLETED,
                settings={"learning_rate": n / 1000, "hidden": 64 * n},
                value=0.5 - n / 10,
                accuracy=0.8,
                curve=[[1, 0.9], [2, 0.5 - n / 10]],
                seconds=2.0,
            )
            if 2 * n <= trials
            else Trial(sweep=sweep, number=n)
            for n in range(1, trials + 1)
        ]
    )
    return sweep


def learned(run: Run, *, at: datetime = NOON) -> LearningReport:
    """What a run told of the labeling: 40 random labels reach 80 %, active ones reach that with about 22."""
    rng = np.random.default_rng(0)
    truths = {n: rng.random(200) < score for n, score in ((10, 0.6), (20, 0.7), (40, 0.8))}
    random = LearningCurve(np.array(list(truths)), np.array(list(truths.values())))
    active = LearningCurve(np.array([10, 20, 40]), np.array([rng.random(200) < score for score in (0.65, 0.78, 0.9)]))
    points = [
        [
            LearningPoint(int(n), float(s), float(s) - 0.05, float(s) + 0.05)
            for n, s in zip(c.labels, c.scores, strict=True)
        ]
        for c in (random, active)
    ]
    return learning_record(
        run=run,
        holdout_rows=200,
        base_labels=0,
        random=points[0],
        active=points[1],
        lift=lift(random, active, seed=0),
        agreement=Agreement(0.93, 0.95, 500, 0.3),
        curve=active,
        seconds=1.0,
        at=at,
        coverage=[{"label": name, "active": 30, "random": 20, "other": 0} for name in ("ham", "spam")],
    )


@dataclass
class Sent:
    """A queue of jobs that only remembers; `away` makes it behave as without Redis."""

    jobs: list[tuple[str, tuple[object, ...]]]
    away: bool = False

    def send(self, name: str, *, args: tuple[object, ...], queue: str) -> None:
        if self.away:
            from apps.integrations.ports import Unavailable

            raise Unavailable("Redis does not answer.")
        self.jobs.append((str(name), args))

    def send_group(self, name: str, *, each: Sequence[tuple[object, ...]], queue: str) -> None:
        for args in each:
            self.send(name, args=args, queue=queue)


def read_window(project: Project) -> MonitorReading:
    """One window that a monitor judged."""
    feature = {
        "name": "x",
        "value": 0.1,
        "threshold": 0.2,
        "score": 1.0,
        "drifted": False,
        "reason": "It moved.",
        "words": {},
    }
    parts = {"names": ["a", "b"], "reference": [0.5, 0.5], "window": [0.4, 0.6]}
    return MonitorReading.objects.create(
        project=project,
        monitor="volume",
        type="volume",
        policy_number=0,
        model_number=1,
        since=NOON - timedelta(hours=3),
        until=NOON,
        at=NOON,
        n_window=80,
        outcome="fine",
        score=1.0,
        threshold=2.0,
        thresholds={"1.0": 2.0},
        features=[{**feature, "parts": parts}],
        sentence="As it was, in 80 rows.",
    )
