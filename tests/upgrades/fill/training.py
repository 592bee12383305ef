"""Runs of every kind and state, the verdicts on them, who serves, and sweeps."""

import uuid
from datetime import datetime, timedelta

from fill.people import LATER, NOON

from apps.accounts.models import User
from apps.datasets.models import DatasetVersion
from apps.evaluation.freshness import gap_record
from apps.evaluation.models import Outcome
from apps.projects.models import Project
from apps.releases.models import Mirrored, ModelVersion
from apps.releases.services import candidate_register, model_promote, model_roll_back, serving_confirm
from apps.rules.encoders import tuned_name
from apps.rules.metrics import Difference
from apps.rules.sweeps import Span
from apps.slas.models import Stage
from apps.slas.services import StageTimes, lap_record, target_set
from apps.training.models import Run, RunKind, RunPriority, RunState, TrialState
from apps.training.services import ownership, trials
from apps.training.services.reproductions import comparison_record, run_reproduce
from apps.training.services.runs import run_cancel, run_start
from apps.training.services.sweeps import sweep_cancel, sweep_start
from tests.rows import HOUR, judged, learned, model, progress, trained


def runs(project: Project, who: dict[str, User]) -> None:
    """A run of each kind and state, what was said of them, and who serves."""
    lin = who["lin"]
    first = model(project)
    learned(first.run)
    second = model(project, Outcome.INCONCLUSIVE, at=NOON + HOUR, base=first.run)
    Run.objects.filter(pk=first.run_id).update(device_s=600.0, started_by=lin, weights_digest="a" * 64)
    for version, minutes in ((first, 20), (second, 100)):
        at = NOON + timedelta(minutes=minutes)
        promotion = model_promote(version=version, reason="Good enough to try on Monday’s mail.", by=lin, at=at)
        serving_confirm(promotion_id=promotion.pk, at=at + timedelta(seconds=1))
        _lap(project, promotion.pk, version, at)
    model_roll_back(project=project, reason="", expected_champion=2, by=lin, at=NOON + 3 * HOUR)  # nobody serves it yet
    tuned = run_start(
        project=project, kind=RunKind.FINE_TUNE, trigger="Lin asked for it.", base_run=None, by=lin, at=LATER
    )
    _finished(
        tuned,
        encoder=tuned_name(tuned.pk),
        measured={
            "tokens_per_s": 5100.5,
            "peak_memory_mb": 900.25,
            "peak_share": 0.41,
            "world_size": 1,
            "project_encoder": "hashed-words-256",
        },
    )
    candidate_register(run=tuned, report=judged(tuned, baseline=first.run), at=LATER + HOUR)
    failed_gate = trained(project, at=LATER + HOUR)
    candidate_register(
        run=failed_gate, report=judged(failed_gate, Outcome.FAIL, baseline=first.run), at=LATER + 2 * HOUR
    )
    gap_record(
        full=failed_gate,
        incremental=second.run,
        holdout_rows=100,
        at=LATER + 2 * HOUR,
        accuracy=Difference(0.012, -0.004, 0.031),
    )
    again = run_reproduce(run=first.run, by=lin, at=LATER + 3 * HOUR)
    _finished(again, encoder="hashed-words-256", measured={})
    comparison_record(run_id=again.pk, comparison={"same_weights": False, "largest_difference": 2.5e-07})
    _sweeps(project, who)
    broken = ownership.run_claim(
        run_id=run_start(project=project, kind=RunKind.FULL, trigger="By time", base_run=None, by=None, at=LATER).pk,
        at=LATER,
    )
    ownership.run_fail(
        run_id=broken.pk,
        owner=broken.owner,
        sentence="The loss is not finite.",
        at=LATER + HOUR,
        traceback='Traceback (most recent call last):\n  File "loop.py", line 1, in step\nValueError: nan\n',
    )
    gone = run_start(project=project, kind=RunKind.FULL, trigger="Lin asked for it.", base_run=None, by=lin, at=LATER)
    run_cancel(run=gone, by=lin, at=LATER)
    _open_runs(project, first.run, lin)
    Mirrored.objects.create(
        run=first.run,
        tracking_run="f" * 32,
        state=RunState.COMPLETED,
        step=99,
        registry_version="1",
        aliases=["champion"],
        attempts=1,
        at=LATER,
    )
    Mirrored.objects.create(run=tuned, attempts=3, retry_at=LATER + HOUR, error="The tracking server did not answer.")


def _lap(project: Project, promotion_id: int, version: ModelVersion, at: datetime) -> None:
    """Over its target where there is one: the second lap breaches."""
    target_set(
        project=project,
        hours=1.5 if version.number == 2 else 24,
        by=version.run.started_by or project.created_by,
        at=at,
    )
    hour = StageTimes(wait_s=3000.0, work_s=600.0, median_wait_s=1500.0, median_work_s=300.0)
    lap_record(
        project=project,
        promotion_id=promotion_id,
        model_number=version.number,
        labels=20,
        median_s=9000.0,
        p90_s=18000.0,
        longest_s=21000.0,
        waiting_share=0.83,
        stages=dict.fromkeys(Stage, hour),
        at=at,
    )


def _finished(run: Run, *, encoder: str, measured: dict[str, object]) -> None:
    """From queued to completed, on a data version of its own."""
    run.refresh_from_db()
    at = run.queued_at + timedelta(minutes=1)
    owner = ownership.run_claim(run_id=run.pk, at=at).owner
    version = run.dataset_version or DatasetVersion.objects.create(
        project=run.project,
        number=run.project.dataset_versions.count() + 1,
        rows=40,
        holdout_rows=8,
        digest="e" * 64,
        url=f"file:///var/lib/fastloop/storage/versions/{run.project_id}",
        created_at=at,
        batch=uuid.uuid4(),
        added=20,
        relabeled=2,
        removed=1,
    )
    ownership.run_prepared(
        run_id=run.pk,
        owner=owner,
        version=version,
        recipe={"encoder": encoder, "epochs": 3, "hidden": 128},
        label_names=["ham", "spam"],
        labels=40,
        new_labels=20,
        device="CPU, 2 threads",
        at=at,
        packages={"torch": "2.13.0"},
    )
    ownership.run_report(run_id=run.pk, owner=owner, progress=progress(100), at=at)
    ownership.run_measured(run_id=run.pk, owner=owner, measured=measured)
    ownership.run_complete(
        run_id=run.pk,
        owner=owner,
        artifact_url=f"file:///var/lib/fastloop/storage/models/{run.pk}.safetensors",
        at=at + timedelta(minutes=9),
        weights_digest="b" * 64,
    )
    run.refresh_from_db()


def _sweeps(project: Project, who: dict[str, User]) -> None:
    """One that trained its best trial, with a trial in each final state, and one canceled with an open end."""
    space = {"learning_rate": Span(1e-4, 1e-2, log=True), "hidden": Span(64, 512)}
    at = LATER + 4 * HOUR
    sweep = sweep_start(project=project, space=space, trials=4, by=who["lin"], at=at)
    ends = (TrialState.COMPLETED, TrialState.COMPLETED, TrialState.PRUNED, TrialState.FAILED)
    for n, (trial, state) in enumerate(zip(sweep.trials.all(), ends, strict=True), start=1):
        owner = trials.trial_claim(trial_id=trial.pk, at=at).owner
        trials.trial_asked(
            trial_id=trial.pk,
            owner=owner,
            settings={"learning_rate": n / 1000, "hidden": 64 * n},
            device="CPU, 2 threads",
            at=at,
        )
        trials.trial_epoch(trial_id=trial.pk, owner=owner, epoch=1, loss=1 / n, accuracy=0.8, at=at)
        error = "The loss is not finite." if state == TrialState.FAILED else ""
        trials.trial_end(trial_id=trial.pk, owner=owner, state=state, at=at + timedelta(seconds=2), error=error)
    closed = trials.sweep_close(sweep_id=sweep.pk, importance={"learning_rate": 0.8, "hidden": 0.2}, at=at)
    _finished(closed.run, encoder="hashed-words-256", measured={})
    second = sweep_start(project=project, space=space, trials=4, by=None, at=at + HOUR)
    trials.trial_claim(trial_id=second.trials.first().pk, at=at + HOUR)  # its lease is still there
    sweep_cancel(sweep=second, by=who["lin"], at=at + HOUR)


def _open_runs(project: Project, base: Run, lin: User) -> None:
    """One that trains under a lease, asked to stop, and one that waits."""
    at = LATER + 8 * HOUR
    run = run_start(
        project=project, kind=RunKind.INCREMENTAL, trigger="At 50 new labels.", base_run=base, by=None, at=at
    )
    owner = ownership.run_claim(run_id=run.pk, at=at).owner
    ownership.run_prepared(
        run_id=run.pk,
        owner=owner,
        version=base.dataset_version,
        recipe={"encoder": "hashed-words-256", "epochs": 6},
        label_names=["ham", "spam"],
        labels=40,
        new_labels=20,
        device="worker-1, GPU 0",
        at=at,
        devices=2,
    )
    ownership.run_report(run_id=run.pk, owner=owner, progress=progress(40), at=at)
    for step in (20, 40):
        ownership.run_checkpointed(
            run_id=run.pk,
            owner=owner,
            step=step,
            size_bytes=1_000_000,
            at=at,
            url=f"file:///var/lib/fastloop/storage/checkpoints/{run.pk}-{step}",
        )
    Run.objects.filter(pk=run.pk).update(cancel_requested_at=at, attempts=2, fallback="The schema has a new label.")
    run_start(
        project=project,
        kind=RunKind.FULL,
        trigger="Lin asked for it.",
        base_run=None,
        by=lin,
        at=at,
        priority=RunPriority.HIGH,
    )
