"""After the numbers of a queue changed: slots that wait get the new number, and what was answered is settled once more.

What is settled stays settled: a label that models have learned from is not taken back because more answers are wanted
from now on. What is open is asked for as the settings say now, and what somebody has begun comes first. Gold, reviews
and second looks have rules of their own and are not touched.
"""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import F

from apps.accounts.models import User
from apps.audit.services import event_record
from apps.audit.verbs import Verb
from apps.labeling.models import Lane, QueueSettings
from apps.labeling.services.labels import label_resolve
from apps.live.publish import look_again
from apps.live.topics import News, Topic
from apps.projects.models import Project
from apps.rules.sentences import sentence
from apps.rules.words import count
from apps.work.jobs import ask
from apps.work.locks import Lock, lock
from apps.work.names import Job

NUMBERED = (Lane.ACTIVE, Lane.RANDOM, Lane.HOLDOUT, Lane.AUDIT, Lane.DRIFT)  # lanes that ask for a number of answers
CHUNK = 20  # examples a transaction: their rows are locked together, so few
AT_ONCE_S = 2.0  # what a person who saves waits for at most; a job does the rest
SILENT = timedelta(minutes=1)  # then nobody works on it any more

_WANTED = "(SELECT (%(wanted)s::jsonb ->> f.lane)::int)"
_ANSWERED = """(SELECT count(*) FROM labeling_assignment a WHERE a.example_id = f.example_id
                AND a.state = 'answered' AND a.lane NOT IN ('gold', 'review', 'relabel'))"""

# Of an example's slots those that are held count first; what is more than wanted and not held goes. A slot for one more
# opinion where the answers are split is asked for whatever the number is.
_TRIM = f"""
    DELETE FROM labeling_frontieritem d USING (
        SELECT f.id, {_WANTED} - {_ANSWERED} AS room, row_number() OVER (
            PARTITION BY f.example_id ORDER BY COALESCE(f.leased_until >= %(at)s, false) DESC, f.slot) AS place
        FROM labeling_frontieritem f
        WHERE f.project_id = %(project)s AND f.lane = ANY(%(lanes)s) AND f.reason ->> 'strategy' IS DISTINCT FROM 'tie'
    ) s WHERE d.id = s.id AND s.place > s.room AND (d.leased_until IS NULL OR d.leased_until < %(at)s)
"""

# An example that waits waits as often as it is wanted, each time at the same place of the order.
_ADD = f"""
    INSERT INTO labeling_frontieritem
        (project_id, example_id, slot, lane, rank, reason, run_number, selection_probability, queued_at, leased_until)
    SELECT f.project_id, f.example_id, free.slot, f.lane, f.rank, f.reason, f.run_number, f.selection_probability,
           f.queued_at, NULL
    FROM (SELECT DISTINCT ON (example_id) * FROM labeling_frontieritem
          WHERE project_id = %(project)s AND lane = ANY(%(lanes)s) ORDER BY example_id, rank, slot) f
    CROSS JOIN LATERAL (
        SELECT slot FROM generate_series(0, 40) AS s(slot)
        WHERE NOT EXISTS (SELECT 1 FROM labeling_frontieritem o WHERE o.example_id = f.example_id AND o.slot = s.slot)
          AND NOT EXISTS (SELECT 1 FROM labeling_assignment a WHERE a.example_id = f.example_id AND a.slot = s.slot
                          AND a.state = 'answered')
        ORDER BY slot
        LIMIT GREATEST(0, {_WANTED} - {_ANSWERED} - (
            SELECT count(*) FROM labeling_frontieritem o WHERE o.example_id = f.example_id AND o.lane = f.lane))
    ) AS free
    WHERE NOT EXISTS (SELECT 1 FROM labeling_label l WHERE l.example_id = f.example_id)
    ON CONFLICT DO NOTHING
"""

_BEGUN_FIRST = f"""
    UPDATE labeling_frontieritem f SET rank = 0
    WHERE f.project_id = %(project)s AND f.lane = ANY(%(lanes)s) AND f.rank > 0 AND {_ANSWERED} > 0
      AND NOT EXISTS (SELECT 1 FROM labeling_label l WHERE l.example_id = f.example_id)
"""

# Answered, and no label yet.
_OPEN = """
    FROM labeling_annotation n JOIN labeling_assignment a ON a.id = n.assignment_id
    WHERE n.project_id = %(project)s AND n.withdrawn_at IS NULL AND n.skip_reason = '' AND n.example_id > %(after)s
      AND a.lane NOT IN ('gold', 'review')
      AND NOT EXISTS (SELECT 1 FROM labeling_label l WHERE l.example_id = n.example_id)
      AND NOT EXISTS (SELECT 1 FROM labeling_setaside s WHERE s.example_id = n.example_id)
"""


@dataclass(frozen=True)
class Resettled:
    """How many examples got a label of answers that were there, and how many are still to be looked at."""

    settled: int
    left: int


def slots_rebuild(*, project: Project, at: datetime) -> None:
    """Bring what waits in line with the numbers of answers in force. Within the caller's transaction."""
    lock(Lock.FRONTIER, project.pk)
    wanted = {lane.value: project.queue.overlap_in(lane) for lane in NUMBERED}
    numbers = ", ".join(f'"{lane}": {n}' for lane, n in wanted.items())
    bound: dict[str, Any] = {"project": project.pk, "lanes": list(wanted), "wanted": f"{{{numbers}}}", "at": at}
    with connection.cursor() as cursor:
        for statement in (_TRIM, _ADD, _BEGUN_FIRST):
            cursor.execute(statement, bound)


def resettling_open(*, project: Project, at: datetime) -> int:
    """Remember that what was answered is to be settled again; returns how many examples that are."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(DISTINCT n.example_id) {_OPEN}", {"project": project.pk, "after": 0})
        left = int(cursor.fetchone()[0])
    QueueSettings.objects.filter(pk=project.pk).update(
        settling_after=0 if left else None, settling_left=left, settling_done=0, settling_at=at
    )
    return left


def resettle(*, project_id: int, by: User | None, at: datetime, seconds: float | None = None) -> Resettled:
    """Settle what was answered again, for so many seconds at most; a job goes on with the rest. Safe twice at once."""
    began = time.monotonic()
    while True:
        found = _chunk(project_id, by, at)
        if found.left == 0:
            break
        if seconds is not None and time.monotonic() - began > seconds:
            transaction.on_commit(lambda: ask(Job.SETTLE, project_id))
            break
    look_again(Topic.PROJECT.of(project_id), News.LABELS)
    look_again(Topic.PROJECT.of(project_id), News.QUEUE)
    return found


@transaction.atomic
def _chunk(project_id: int, by: User | None, at: datetime) -> Resettled:
    """The next few examples, and where the following begin. The row of the settings is locked: one at a time."""
    kept = QueueSettings.objects.select_for_update(no_key=True).get(pk=project_id)
    if kept.settling_after is None:
        return Resettled(kept.settling_done, 0)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT DISTINCT n.example_id {_OPEN} ORDER BY 1 LIMIT {CHUNK}",
            {"project": project_id, "after": kept.settling_after},
        )
        ids = [row[0] for row in cursor.fetchall()]
    kept.settling_done += sum(label_resolve(example_id=pk, at=at, reviews_stay=True) is not None for pk in ids)
    kept.settling_left = max(len(ids) == CHUNK, kept.settling_left - len(ids)) if ids else 0
    kept.settling_after = ids[-1] if len(ids) == CHUNK else None
    kept.settling_at = at
    kept.save(update_fields=["settling_after", "settling_left", "settling_done", "settling_at"])
    if kept.settling_after is None:
        kept.settling_left = 0
        kept.save(update_fields=["settling_left"])
        _record(kept, by, at)
    return Resettled(kept.settling_done, kept.settling_left)


def _record(kept: QueueSettings, by: User | None, at: datetime) -> None:
    if not kept.settling_done:
        return
    event_record(
        project_id=kept.pk,
        verb=Verb.QUEUE_SETTLED,
        subject=f"project {kept.pk}",
        by=by,
        at=at,
        sentence=sentence(
            "{examples} settled after the queue’s numbers changed.", examples=count(kept.settling_done, "example")
        ),
        after={"settled": kept.settling_done},
    )


def resettlings_sweep(*, at: datetime) -> list[int]:
    """Projects whose settling nobody works on any more: a lost message, a worker that ended."""
    silent = QueueSettings.objects.filter(settling_after__isnull=False, settling_at__lt=at - SILENT)
    found = list(silent.order_by(F("settling_at").asc()).values_list("pk", flat=True))
    for project_id in found:
        ask(Job.SETTLE, project_id)
    return found
