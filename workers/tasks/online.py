"""One turn of the learner that never stops: read what was labeled since, learn it, and now and then make a model of it."""

import logging
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from importlib.metadata import version as version_of

import numpy as np
from django.utils import timezone
from numpy.typing import NDArray

from apps.datasets.versions import VersionRow, version_write
from apps.integrations import wiring
from apps.integrations.ports import Unavailable
from apps.labeling.encoders import encoder_of
from apps.labeling.lineage import labels_now
from apps.labeling.models import LabelSource
from apps.labeling.settled import labels_at, labels_since, returned_since, returned_until
from apps.projects import task_types
from apps.projects.models import Project
from apps.projects.selectors import schema_of
from apps.training.models import OnlineLearner, Run
from apps.training.selectors import learner_given
from apps.training.services.online import LATE, online_asked_since, online_send
from apps.training.services.online_updates import (
    OnlineLost,
    Published,
    Update,
    online_claim,
    online_learned,
    online_published,
    online_release,
    online_renew,
    online_restart,
)
from apps.work.endings import End, attempt
from apps.work.jobs import task
from apps.work.names import Job
from workers.tasks.evaluate import judge_run
from workers.tasks.rows import rows_of
from workers.training.learners import learner_for, learner_named
from workers.training.models.bundle import dump
from workers.training.online.learning import (
    Learned,
    OnlineState,
    StateUnreadable,
    begin,
    bundle_of,
    learn,
    pack,
    unpack,
)
from workers.training.refusals import NothingLearnsThis

logger = logging.getLogger(__name__)
PART = 5000  # labels a state is written for; what a dying worker has to learn again, some seconds' work
MICROSECOND = timedelta(microseconds=1)
PACKAGES = ("numpy", "torch", "vowpalwabbit")


@task(Job.ONLINE)
def online(project_id: int) -> None:
    began = timezone.now()
    try:
        learner = online_claim(project_id=project_id, at=began)
    except OnlineLost as taken:
        logger.info("%s", taken.message)
        return
    assert learner.owner is not None
    owner = learner.owner
    turn = attempt(lambda: _turn(learner, owner), what="The learner", refusals=(Unavailable, NothingLearnsThis))
    sentence, run = turn.result or (turn.sentence or None, None)
    if turn.end == End.FAULT:
        sentence = f"{sentence} It tries again at its next turn."
    online_release(project_id=project_id, owner=owner, error=sentence, at=timezone.now())
    if online_asked_since(project_id=project_id, at=began):
        online_send(project_id=project_id)  # the click's own message found the learner taken and went home
    if run is not None:
        judge_run(run)


def _turn(learner: OnlineLearner, owner: uuid.UUID) -> tuple[str | None, Run | None]:
    """The page's sentence, and the run where a model was made."""
    return _update(learner, owner), _publish(learner.project, owner)


def _update(learner: OnlineLearner, owner: uuid.UUID) -> str | None:
    """Learn part after part. Returns the page's sentence: empty once something was learned, None where nothing came."""
    project = learner.project
    names, encoder = list(schema_of(project).names), _encoder(project)
    state, reason = _state(learner, names, encoder)
    if state is None:
        before = learner.state_url
        learner = online_restart(
            project_id=project.pk, owner=owner, label_names=names, encoder=encoder, reason=reason, at=timezone.now()
        )
        if before:
            wiring.storage().remove(before)
        state = begin(learner_for(task_types.get(project.task_type)).saved_as, names, encoder)
    said = reason or None
    for part in _parts(_unread(learner, state), state):
        online_renew(project_id=project.pk, owner=owner, at=timezone.now())
        learner, state = _learn(learner, owner, state, part)
        said = reason
    size = min(PART, learner_named(state.task_type).online_part)
    while came_back := returned_since(project.pk, learner.feedback_cursor, size):
        online_renew(project_id=project.pk, owner=owner, at=timezone.now())
        learner, state = _learn_returned(learner, owner, state, came_back)
        said = reason
    return said


def _encoder(project: Project) -> str:
    return encoder_of(project) if learner_for(task_types.get(project.task_type)).reads_vectors else ""


def _state(learner: OnlineLearner, names: list[str], encoder: str) -> tuple[OnlineState | None, str]:
    """What was learned so far; or none and why it has to begin again, without a reason at the very first time.

    Raises Unavailable where the storage does not answer: that passes, a lost file does not.
    """
    if not learner.state_url:
        return None, ""
    if learner.label_names != names:
        return None, "The labels of the project have changed since."
    if learner.encoder != encoder:
        return None, "The project reads its texts by another encoder now."
    try:
        return unpack(wiring.storage().read(learner.state_url)), ""
    except StateUnreadable:
        return None, "The file of what was learned is damaged."
    except Unavailable as gone:
        if not gone.permanent:
            raise
        return None, "The file of what was learned is lost."


def _unread(learner: OnlineLearner, state: OnlineState) -> NDArray[np.int64]:
    """Labels that were not learned as they stand, oldest first: (n, 2) of example and microsecond.

    A label may be committed after younger ones were read, so the last minutes before the cursor are looked at again;
    the state remembers what it has read of them. A label that was changed bears a new time, and is new.
    """
    rows = labels_since(learner.project_id, learner.cursor_at - LATE if learner.cursor_at else None)
    read = set(map(tuple, state.read.tolist()))
    keys = ((pk, _microsecond(resolved_at)) for pk, resolved_at in rows)
    return np.array([key for key in keys if key not in read], np.int64).reshape(-1, 2)


def _parts(unread: NDArray[np.int64], state: OnlineState) -> Iterator[NDArray[np.int64]]:
    size = min(PART, learner_named(state.task_type).online_part)
    for start in range(0, len(unread), size):
        yield unread[start : start + size]


def _learn(
    learner: OnlineLearner, owner: uuid.UUID, state: OnlineState, part: NDArray[np.int64]
) -> tuple[OnlineLearner, OnlineState]:
    """One part: the state is written first, then the row takes it with cursor and counters, then the old one goes."""
    project = learner.project
    names = {name: i for i, name in enumerate(state.labels)}
    current = labels_at(part[:, 0].tolist())
    ids = [pk for pk, at in part.tolist() if pk in current and _microsecond(current[pk][1]) == at]
    learned = learn(
        state, rows_of(project, ids, encoder=state.encoder) if ids else [], [names[current[pk][0]] for pk in ids]
    )
    cursor_id, microsecond = (int(n) for n in part[-1])
    cursor_at = datetime.fromtimestamp(0, UTC) + microsecond * MICROSECOND
    if learner.cursor_at is not None and (learner.cursor_at, learner.cursor_id) > (cursor_at, cursor_id):
        cursor_at, cursor_id = learner.cursor_at, learner.cursor_id
    read = np.concatenate([state.read, part])
    after = replace(learned.state, read=read[read[:, 1] >= _microsecond(cursor_at - LATE)])
    return _kept(learner, owner, learned, after, (cursor_at, cursor_id, learner.feedback_cursor)), after


def _learn_returned(
    learner: OnlineLearner, owner: uuid.UUID, state: OnlineState, came_back: list[tuple[int, int]]
) -> tuple[OnlineLearner, OnlineState]:
    """Labels that came back as feedback, by their own cursor."""
    project, names = learner.project, {name: i for i, name in enumerate(state.labels)}
    current = labels_at([pk for _, pk in came_back])
    ids = [pk for _, pk in came_back if pk in current]
    learned = learn(
        state, rows_of(project, ids, encoder=state.encoder) if ids else [], [names[current[pk][0]] for pk in ids]
    )
    cursors = (learner.cursor_at, learner.cursor_id, came_back[-1][0])
    return _kept(learner, owner, learned, learned.state, cursors), learned.state


def _kept(
    learner: OnlineLearner,
    owner: uuid.UUID,
    learned: Learned,
    after: OnlineState,
    cursors: tuple[datetime | None, int, int],
) -> OnlineLearner:
    """The state is written first, then the row takes it, then the old one goes."""
    project, before = learner.project, learner.state_url
    url = wiring.storage().write(f"online/{project.pk}/{owner.hex[:8]}-{uuid.uuid4().hex[:8]}.vw", pack(after))
    learner = online_learned(
        project_id=project.pk,
        owner=owner,
        at=timezone.now(),
        update=Update(url, learned.examples, learned.loss_sum, learned.right, learned.seconds, *cursors),
    )
    learner.project = project
    if before:
        wiring.storage().remove(before)
    return learner


def _publish(project: Project, owner: uuid.UUID) -> Run | None:
    """Make a model of the state where somebody asked or enough was learned since the last one."""
    learner = learner_given(project.pk)
    due = learner.asked_at is not None or learner.unpublished >= learner.publish_every
    if not due or not learner.unpublished:
        return None
    online_renew(project_id=project.pk, owner=owner, at=timezone.now())
    came_back = returned_until(project.pk, learner.feedback_cursor)
    bundle = bundle_of(unpack(wiring.storage().read(learner.state_url)))
    blob = dump(bundle)
    learned = [r for r in labels_now(project) if r.holdout or _read(learner, r, came_back)]
    version = version_write(project_id=project.pk, rows=learned, at=timezone.now())
    url = wiring.storage().write(f"models/{project.pk}/online-{owner.hex[:8]}.safetensors", blob)
    return online_published(
        project_id=project.pk,
        owner=owner,
        at=timezone.now(),
        published=Published(
            url,
            sha256(blob).hexdigest(),
            version,
            bundle.recipe.to_dict(),
            {name: version_of(name) for name in PACKAGES},
            "CPU, Vowpal Wabbit",
        ),
    )


def _read(learner: OnlineLearner, row: VersionRow, came_back: set[int]) -> bool:
    if row.source == LabelSource.FEEDBACK:
        return row.example_id in came_back
    return learner.cursor_at is not None and row.resolved_at <= learner.cursor_at


def _microsecond(at: datetime) -> int:
    return (at - datetime.fromtimestamp(0, UTC)) // MICROSECOND
