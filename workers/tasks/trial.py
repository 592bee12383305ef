"""Try one recipe of a sweep: ask the study, train, prune, tell. Whoever ends the last trial starts a run of the best."""

import logging
import uuid
from collections.abc import Callable
from typing import Any

import numpy as np
from django.utils import timezone

from apps.datasets.versions import VersionUnreadable, version_rows, version_write
from apps.errors import DomainError
from apps.integrations.ports import Unavailable
from apps.labeling.encoders import encoder_of
from apps.labeling.lineage import labels_now
from apps.projects import task_types
from apps.projects.selectors import schema_of
from apps.training.models import Sweep, Trial, TrialState
from apps.training.selectors import trial_given
from apps.training.services.sweeps import trials_send
from apps.training.services.trials import (
    LEASE,
    TrialLost,
    sweep_close,
    sweep_is_tried,
    sweep_version,
    trial_asked,
    trial_claim,
    trial_end,
    trial_epoch,
    trial_heartbeat,
)
from apps.work.endings import End, attempt
from apps.work.heartbeat import Heartbeat
from apps.work.jobs import task
from apps.work.names import Job
from workers.tasks.rows import rows_of
from workers.tasks.study import StudyUnreachable, asked, importance, reached, study_of
from workers.training.device import device_words
from workers.training.fit.trial import Epoch, try_recipe
from workers.training.learners import learner_for
from workers.training.recipes import RecipeInvalid, TrialRecipe
from workers.training.refusals import (
    Canceled,
    MemoryTooSmall,
    NothingLearnsThis,
    NothingToTrain,
    OneClassOnly,
    RowsUnreadable,
)

logger = logging.getLogger(__name__)
REFUSALS = (
    NothingLearnsThis,
    NothingToTrain,
    OneClassOnly,
    RowsUnreadable,
    RecipeInvalid,
    MemoryTooSmall,
    Unavailable,
    VersionUnreadable,
    StudyUnreachable,
    DomainError,
)


STATES = {
    End.DONE: TrialState.COMPLETED,
    End.CANCELED: TrialState.CANCELED,
    End.REFUSED: TrialState.FAILED,
    End.FAULT: TrialState.FAILED,
}


class Pruned(Exception):
    """The trial is worse than half of those before it were at the same epoch."""


def _heartbeat(row: Trial) -> Heartbeat:
    def renew(owner: uuid.UUID) -> bool:
        return trial_heartbeat(trial_id=row.pk, owner=owner, at=timezone.now())

    return Heartbeat(f"trial {row.pk}", row.owner, renew, lost_by=TrialLost, every_s=LEASE.renewed_every_s)


@task(Job.TRIAL)
def trial(trial_id: int) -> None:
    row = trial_given(trial_id)
    try:
        row = trial_claim(trial_id=trial_id, at=timezone.now())
        if row.state == TrialState.RUNNING:
            _tried(row)
    except TrialLost as taken:
        logger.info("%s", taken.message)
    _go_on(row.sweep)


def _tried(row: Trial) -> None:
    """Train and record how it ended; nothing where that is no longer this worker's business."""
    with _heartbeat(row) as heartbeat:
        ending = attempt(
            lambda: _unless_pruned(row, heartbeat), what="The trial", refusals=REFUSALS, canceled=(Canceled,)
        )
    if ending.end == End.LOST:
        return
    best = ending.result
    pruned = ending.end == End.DONE and best is None
    trial_end(
        trial_id=row.pk,
        owner=heartbeat.owner,
        state=TrialState.PRUNED if pruned else STATES[ending.end],
        error=ending.sentence,
        at=timezone.now(),
        best=(best.number, best.loss, best.accuracy) if best else None,
    )


def _unless_pruned(row: Trial, heartbeat: Heartbeat) -> Epoch | None:
    try:
        return _train(row, heartbeat)
    except Pruned:
        return None


def _train(row: Trial, heartbeat: Heartbeat) -> Epoch:
    """The best epoch. Raises what `_tried` turns into an end of the trial."""
    import optuna

    sweep, owner = row.sweep, heartbeat.owner
    project = sweep.project
    version = sweep.dataset_version or sweep_version(
        sweep_id=sweep.pk, version=version_write(project_id=project.pk, rows=labels_now(project), at=timezone.now())
    )
    rows = [r for r in version_rows(version) if not r.holdout]
    names = schema_of(project).names
    study = study_of(sweep, seed=sweep.seed * 1009 + row.number)
    suggestion = asked(study, sweep, row)
    trial_asked(trial_id=row.pk, owner=owner, settings=suggestion.params, device=device_words(), at=timezone.now())
    states = optuna.trial.TrialState
    try:
        recipe = _recipe(sweep, suggestion.params)
        ids = np.array([r.example_id for r in rows], np.int64)
        best = try_recipe(
            rows_of(project, ids, encoder=recipe.encoder),
            [names.index(r.label) for r in rows],
            names,
            recipe,
            on_epoch=_listener(row, heartbeat, suggestion),
            should_stop=heartbeat.should_stop,
        )
    except Pruned:
        _tell(study, suggestion, state=states.PRUNED)
        raise
    except Exception:
        if not heartbeat.lost.is_set():  # whoever has it now goes on with the same suggestion
            _tell(study, suggestion, state=states.FAIL)
        raise
    _tell(study, suggestion, values=best.loss)
    return best


def _recipe(sweep: Sweep, settings: dict[str, Any]) -> TrialRecipe:
    project = sweep.project
    learner = learner_for(task_types.get(project.task_type))
    encoder = encoder_of(project) if learner.reads_vectors else ""
    return learner.recipe_of(TrialRecipe, seed=sweep.seed, encoder=encoder, **settings)


def told(epoch: int) -> bool:
    """Whether an epoch goes to the page and the study: each at first, then ever fewer, the same for every trial.

    Two writes after each of five hundred short epochs would take longer than the epochs.

    >>> [n for n in range(1, 101) if told(n)]
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 35, 40, 45, 50, 75, 100]
    """
    return epoch <= 10 or epoch % (5 if epoch <= 50 else 25) == 0


def _listener(row: Trial, heartbeat: Heartbeat, suggestion: Any) -> Callable[[Epoch], None]:
    def heard(epoch: Epoch) -> None:
        if heartbeat.lost.is_set():
            raise TrialLost("The trial was taken over or ended.")
        if heartbeat.canceled.is_set():
            raise Canceled(f"Canceled after {epoch.number} epochs.")
        if not told(epoch.number):
            return
        trial_epoch(
            trial_id=row.pk,
            owner=heartbeat.owner,
            epoch=epoch.number,
            loss=epoch.loss,
            accuracy=epoch.accuracy,
            at=timezone.now(),
        )
        with reached():
            suggestion.report(epoch.loss, epoch.number)
            if suggestion.should_prune():
                raise Pruned(f"Pruned after {epoch.number} epochs.")

    return heard


def _tell(study: Any, suggestion: Any, **said: Any) -> None:
    with reached():
        study.tell(suggestion, skip_if_finished=True, **said)


def _go_on(sweep: Sweep) -> None:
    """The next trials into the queue; after the last one, the run of the best. No worker waits for another."""
    trials_send(sweep_id=sweep.pk, at=timezone.now())
    if not sweep_is_tried(sweep):
        return
    shares: dict[str, float] = {}
    try:
        shares = importance(study_of(sweep, seed=sweep.seed), seed=sweep.seed)
    except StudyUnreachable as lost:
        logger.warning("%s: no importance: %s", sweep, lost)
    sweep_close(sweep_id=sweep.pk, importance=shares, at=timezone.now())
