"""Train one run: claim it, keep its lease alive, fit, record. A job delivered twice finds the run taken and goes home."""

import logging
import uuid
from hashlib import sha256
from typing import Any

from django.utils import timezone

from apps.datasets.versions import version_rows, version_write
from apps.integrations import wiring
from apps.integrations.ports import Unavailable
from apps.labeling.encoders import encoder_of
from apps.labeling.lineage import labels_now
from apps.labeling.services.labels import labels_trained
from apps.loop.services.preparation import (
    LEARNS_AS,
    LabelsUnknown,
    base_for,
    chosen_for,
    encoder_for,
    labels_checked,
    settings_of,
)
from apps.projects import task_types
from apps.projects.selectors import schema_of
from apps.rules.sentences import parts_of
from apps.training.models import Run, RunKind, RunState
from apps.training.services.ownership import (
    LEASE,
    RunLost,
    run_canceled,
    run_claim,
    run_complete,
    run_fail,
    run_heartbeat,
)
from apps.training.services.reporting import run_measured, run_phase, run_prepared
from apps.work.endings import End, Ending, attempt
from apps.work.heartbeat import Heartbeat
from apps.work.jobs import task
from apps.work.names import Job
from workers.tasks import relay
from workers.tasks.bundles import bundle_at
from workers.tasks.evaluate import judge_run
from workers.tasks.fitting import Material, devices_of, fitted_by
from workers.tasks.reproduce import compare_run
from workers.tasks.shifts import old_labels
from workers.training.device import device_words
from workers.training.encoders.encoder import EncoderMissing
from workers.training.learners import learner_for
from workers.training.models.bundle import BundleUnreadable, dump
from workers.training.packages import installed
from workers.training.recipes import IncrementalRecipe, RecipeInvalid
from workers.training.refusals import (
    BaseDoesNotFit,
    Canceled,
    MemoryTooSmall,
    NothingLearnsThis,
    NothingToTrain,
    OneClassOnly,
    RowsUnreadable,
    TaskNotTuned,
)

logger = logging.getLogger(__name__)
# Bad data, not bugs: the run ends with the sentence alone.
REFUSALS = (
    NothingLearnsThis,
    NothingToTrain,
    OneClassOnly,
    RowsUnreadable,
    BaseDoesNotFit,
    RecipeInvalid,
    BundleUnreadable,
    Unavailable,
    MemoryTooSmall,
    relay.CheckpointDiskFull,
    TaskNotTuned,
    EncoderMissing,
    LabelsUnknown,
)


def _heartbeat(run: Run) -> Heartbeat:
    def renew(owner: uuid.UUID) -> bool:
        return run_heartbeat(run_id=run.pk, owner=owner, at=timezone.now())

    return Heartbeat(f"run {run.pk}", run.owner, renew, lost_by=RunLost, every_s=LEASE.renewed_every_s)


@task(Job.TRAIN)
def train(run_id: int) -> None:
    try:
        run = run_claim(run_id=run_id, at=timezone.now())
    except RunLost as taken:
        logger.info("%s", taken.message)
        return
    if run.state != RunState.RUNNING or run.owner is None:
        return
    with _heartbeat(run) as heartbeat:  # the run whose turn it is need not be the one that the message named
        ending = attempt(lambda: _train(run, heartbeat), what="The training", refusals=REFUSALS, canceled=(Canceled,))
    completed = _recorded(run, ending, heartbeat)
    if completed is None:
        return
    if completed.reproduces_id:
        compare_run(completed)
    else:
        judge_run(completed)


def _recorded(run: Run, ending: Ending[Run], heartbeat: Heartbeat) -> Run | None:
    """Write down how the attempt ended; the run, where it completed. A lease that is lost is somebody else's to end."""
    owner, at = heartbeat.owner, timezone.now()
    if ending.end == End.CANCELED and not heartbeat.lost.is_set():
        run_canceled(run_id=run.pk, owner=owner, at=at)
    elif ending.end in (End.REFUSED, End.FAULT):
        run_fail(run_id=run.pk, owner=owner, sentence=ending.sentence, traceback=ending.traceback, at=at)
    return ending.result


def _train(run: Run, heartbeat: Heartbeat) -> Run:
    """Read the version, choose the rows, fit, keep the model. Raises what `train` turns into an end of the run."""
    project, owner = run.project, heartbeat.owner
    version = run.dataset_version or version_write(project_id=project.pk, rows=labels_now(project), at=timezone.now())
    rows = version_rows(version)
    names = list(run.reproduces.label_names) if run.reproduces else list(schema_of(project).names)
    labels_checked(rows, names)
    encoder = encoder_for(run, rows)
    base_run, passed_over = base_for(run, encoder, lambda base: bundle_at(base.artifact_url).encoder)
    base = bundle_at(base_run.artifact_url) if base_run else None
    kind = RunKind.FULL if passed_over else run.kind
    learner = learner_for(task_types.get(project.task_type))
    settings = {"seed": run.seed, **settings_of(run), "encoder": encoder}
    recipe = learner.recipe(LEARNS_AS.get(kind, kind), **settings)
    trainable = [r for r in rows if not r.holdout]
    old = old_labels(run, trainable)
    counting = old.counts if old else None
    trainable = [r for r in trainable if (counting or {}).get(r.example_id, 1.0) > 0]
    chosen = chosen_for(
        run,
        trainable,
        replayed=recipe.replay_size if isinstance(recipe, IncrementalRecipe) else None,
        seed=recipe.seed,
        names=names,
        counting=counting,
    )
    holdout = [r for r in rows if r.holdout]
    run_prepared(
        run_id=run.pk,
        owner=owner,
        version=version,
        recipe=recipe.to_dict(),
        label_names=names,
        labels=len(chosen.rows),
        new_labels=chosen.new,
        device=device_words(),
        devices=devices_of(recipe),
        packages=installed(),
        at=timezone.now(),
    )
    if passed_over:
        run_phase(run_id=run.pk, owner=owner, phase=passed_over, at=timezone.now())

    told = relay.listeners(run, heartbeat.should_stop)
    if old:
        told.on_notice(old.words)
    present = {r.label for r in rows if not r.holdout}
    absent = [name for name in names if name not in present]
    if absent:
        told.on_notice(
            f"no example to train on is labeled {', '.join(absent[:5])}; the model keeps room for what it knows"
        )
    material = Material(project, names, recipe, chosen.rows, holdout, trainable, base, chosen.weights, counting)
    fitted = fitted_by(material, told)
    result = relay.from_checkpoints(run, fitted)
    measured: dict[str, Any] = {**result.measured, "project_encoder": encoder_of(project)} if result.measured else {}
    if old:
        measured |= {"shift": str(old.kind), "shift_words": old.words, "shift_parts": parts_of(old.words)}
    if measured:
        run_measured(run_id=run.pk, owner=owner, measured=measured)
    run_phase(run_id=run.pk, owner=owner, phase="keeping the model", at=timezone.now())
    model = dump(result.bundle)
    url = wiring.storage().write(f"models/{project.pk}/{run.pk}-{owner.hex[:8]}.safetensors", model)
    completed = run_complete(
        run_id=run.pk, owner=owner, artifact_url=url, weights_digest=sha256(model).hexdigest(), at=timezone.now()
    )
    relay.checkpoints_drop(completed)
    if not run.reproduces_id:  # a model that nobody will serve has seen no label
        labels_trained(
            project_id=project.pk,
            seen=[(r.example_id, r.resolved_at) for r in rows if not r.holdout],
            run_number=run.number,
        )
    return completed
