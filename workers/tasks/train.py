"""Train one run: claim it, keep its lease alive, fit, record. A job delivered twice finds the run taken and goes home."""

import logging
import uuid
from dataclasses import replace
from hashlib import sha256
from typing import Any

import numpy as np
import torch
from django.utils import timezone

from apps.datasets.shards import encoder_covers
from apps.datasets.versions import VersionRow, version_rows, version_write
from apps.integrations import wiring
from apps.integrations.ports import Unavailable
from apps.labeling.encoders import encoder_of
from apps.labeling.lineage import labels_now
from apps.labeling.services.labels import labels_trained
from apps.loop.services.encoders import encoder_of_run, encoder_wanted
from apps.projects.selectors import schema_of
from apps.rules.encoder_names import run_of, tuned_name
from apps.rules.words import count
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
from workers.training import replay
from workers.training.encoder import EncoderMissing
from workers.training.finetune import refuse_other_tasks
from workers.training.model import Bundle, BundleUnreadable, dump
from workers.training.packages import installed
from workers.training.recipe import Recipe, RecipeInvalid
from workers.training.refusals import (
    BaseDoesNotFit,
    Canceled,
    LabelStrange,
    MemoryTooSmall,
    NothingToTrain,
    OneClassOnly,
    RowsUnreadable,
    TaskNotTuned,
)

logger = logging.getLogger(__name__)
# Bad data, not bugs: the run ends with the sentence alone.
REFUSALS = (
    NothingToTrain,
    OneClassOnly,
    RowsUnreadable,
    BaseDoesNotFit,
    RecipeInvalid,
    BundleUnreadable,
    Unavailable,
    MemoryTooSmall,
    relay.DiskFull,
    TaskNotTuned,
    LabelStrange,
    EncoderMissing,
)

LEARNS_AS: dict[str, str] = {RunKind.SWEEP: RunKind.FULL}  # the best trial's recipe, from scratch


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
    _refuse_strange(rows, names)
    index = {name: i for i, name in enumerate(names)}
    encoder = _encoder(run, rows)
    base, passed_over = _base(run, encoder)
    kind = RunKind.FULL if passed_over else run.kind
    recipe = Recipe.for_task(project.task_type, LEARNS_AS.get(kind, kind), **{"seed": run.seed, **_settings(run)})
    recipe = replace(recipe, encoder=encoder)
    if kind == RunKind.FINE_TUNE:
        refuse_other_tasks(recipe)
    chosen, new = _chosen(run, [r for r in rows if not r.holdout], recipe, index)
    holdout = [r for r in rows if r.holdout]
    run_prepared(
        run_id=run.pk,
        owner=owner,
        version=version,
        recipe=recipe.to_dict(),
        label_names=names,
        labels=len(chosen),
        new_labels=new,
        device=_device(),
        devices=devices_of(recipe),
        packages=installed(),
        at=timezone.now(),
    )
    if passed_over:
        run_phase(run_id=run.pk, owner=owner, phase=passed_over, at=timezone.now())

    told = relay.listeners(run, heartbeat.should_stop)
    present = {r.label for r in rows if not r.holdout}
    absent = [name for name in names if name not in present]
    if absent:
        told.on_notice(
            f"no example to train on is labeled {', '.join(absent[:5])}; the model keeps room for what it knows"
        )
    fitted = fitted_by(Material(project, names, recipe, chosen, holdout, base), told)
    result = relay.from_checkpoints(run, fitted)
    if result.measured:
        measured = {**result.measured, "project_encoder": encoder_of(project)}
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


def _settings(run: Run) -> dict[str, Any]:
    """What differs from the kind's defaults: asked for, suggested by a sweep, or bound when the run was first taken."""
    return {name: value for name, value in run.recipe.items() if name not in ("task_type", "kind")}


def _encoder(run: Run, rows: list[VersionRow]) -> str:
    """Whose vectors the run reads: the project's, once they cover every labeled example; until then those of before.

    A run taken over from a dead worker keeps the encoder it began with, so that its checkpoint fits. A fine-tune makes
    its own; a reproduction makes the same again.
    """
    project = run.project
    if run.kind == RunKind.FINE_TUNE:
        return tuned_name(run.reproduces_id or run.pk)
    if project.task_type != "text-classification":
        return ""
    if run.recipe.get("encoder"):
        return str(run.recipe["encoder"])
    wanted = encoder_wanted(project)
    before = Run.objects.filter(project=project, state=RunState.COMPLETED).order_by("-number").first()
    if before is None or encoder_of_run(before) == wanted or run_of(wanted) or run_of(encoder_of_run(before)):
        return wanted  # a fine-tuned encoder begins to be used with its promotion, not because a run was last
    covers = encoder_covers(project.pk, wanted, np.array([r.example_id for r in rows], np.int64))
    return wanted if covers else encoder_of_run(before)


def _refuse_strange(rows: list[VersionRow], names: list[str]) -> None:
    strange = sorted({row.label for row in rows} - set(names))
    if strange:
        raise LabelStrange(
            f"The data names {count(len(strange), 'label')} that the schema does not have: {', '.join(strange[:5])}. "
            "Start a run on the labels as they stand."
        )


def _base(run: Run, encoder: str) -> tuple[Bundle | None, str]:
    """The model to start from; or none and, in a sentence, why an incremental run is made full."""
    if run.base_run is None or run.kind != RunKind.INCREMENTAL:
        return None, ""
    base = bundle_at(run.base_run.artifact_url)
    if base.encoder == encoder:
        return base, ""
    return None, f"in full: {run.base_run} reads other vectors than {encoder}"


def _chosen(run: Run, rows: list[VersionRow], recipe: Recipe, index: dict[str, int]) -> tuple[list[VersionRow], int]:
    """The rows to train on and how many are new. Incremental: what the base has not seen, and a replay of the rest."""
    if recipe.kind != "incremental" or run.base_run is None or run.base_run.dataset_version is None:
        return rows, len(rows)
    seen = {(r.example_id, r.label) for r in version_rows(run.base_run.dataset_version)}
    new = [r for r in rows if (r.example_id, r.label) not in seen]
    old = [r for r in rows if (r.example_id, r.label) in seen]
    if not old:
        return new, len(new)
    kept = replay.choose([index[r.label] for r in old], recipe.replay_size, recipe.seed)
    return [*new, *(old[int(i)] for i in kept)], len(new)


def _device() -> str:
    return torch.cuda.get_device_name() if torch.cuda.is_available() else f"CPU, {torch.get_num_threads()} threads"
