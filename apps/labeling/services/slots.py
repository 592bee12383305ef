"""What is read and written to hand out the next slots: the statements, and their rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from apps.accounts.models import User
from apps.datasets.models import Example
from apps.labeling.services.suggestions import Suggestion
from apps.projects.models import GuidelineVersion, Project
from apps.statements import rows

# What a lease needs to know comes along, so that one statement finds it: the example, a guess from outside, the
# guidelines in force. Somebody paused is given nothing, and nobody holds more than MOST_HELD.
NEXT = """
    WITH slot AS MATERIALIZED (
        SELECT f.id, f.example_id, f.slot, f.lane, f.rank, f.reason, f.run_number, f.selection_probability
        FROM labeling_frontieritem f
        WHERE f.project_id = %(project)s AND f.lane = %(lane)s
          AND (f.leased_until IS NULL OR f.leased_until < %(at)s)
          AND (SELECT count(*) FROM labeling_assignment a  -- NOT EXISTS would be a join over all that was ever answered
               WHERE a.example_id = f.example_id
                 AND (a.slot = f.slot AND a.state = 'answered'  -- a slot put back by a draw that ran beside its answer
                   OR a.holder_id = %(holder)s
                     AND (a.state IN ('answered', 'skipped') OR (a.state = 'leased' AND a.leased_until >= %(at)s)))) = 0
        ORDER BY f.rank LIMIT %(count)s
        FOR UPDATE OF f SKIP LOCKED
    )
    SELECT f.id, f.example_id, f.slot, f.lane, f.rank, f.reason::text, f.run_number, f.selection_probability,
           e.external_id, e.fields::text, p.model_version, p.label, p.value::text, p.confidence, g.id, g.number
    FROM slot f
    JOIN datasets_example e ON e.id = f.example_id
    LEFT JOIN LATERAL (
        SELECT q.model_version, s.name AS label, q.value, q.confidence FROM labeling_importedprediction q
        LEFT JOIN projects_schemalabel s ON s.id = q.label_id
        WHERE q.example_id = f.example_id ORDER BY q.at DESC, q.id DESC LIMIT 1) p ON true
    LEFT JOIN LATERAL (
        SELECT v.id, v.number FROM projects_guidelineversion v
        WHERE v.project_id = %(project)s ORDER BY v.number DESC LIMIT 1) g ON true
    ORDER BY f.rank
"""

# The same for one example at once, without having looked first: nothing for whoever is paused or holds too much.
NEXT_AT_ONCE = NEXT.replace(
    "LIMIT %(count)s",
    """LIMIT (SELECT CASE WHEN EXISTS (SELECT 1 FROM labeling_pause WHERE project_id = %(project)s
                AND person_id = %(holder)s AND lifted_at IS NULL) THEN 0
            WHEN (SELECT count(*) FROM labeling_assignment WHERE project_id = %(project)s AND holder_id = %(holder)s
                AND state = 'leased' AND leased_until >= %(at)s) >= %(most)s THEN 0 ELSE 1 END)""",
)

# How many this person holds, whether they are paused, and which lanes have anything at all: a lane is not drawn in vain.
ROOM = """
    SELECT ARRAY(SELECT id FROM labeling_assignment WHERE project_id = %(project)s AND holder_id = %(holder)s
              AND state = 'leased' AND leased_until >= %(at)s),
           EXISTS (SELECT 1 FROM labeling_pause WHERE project_id = %(project)s AND person_id = %(holder)s
              AND lifted_at IS NULL),
           ARRAY(SELECT lane FROM unnest(%(lanes)s::text[]) AS x(lane) WHERE CASE lane
              WHEN 'gold' THEN EXISTS (SELECT 1 FROM labeling_golditem g WHERE g.project_id = %(project)s)
              ELSE (SELECT f.id FROM labeling_frontieritem f WHERE f.project_id = %(project)s AND f.lane = x.lane
                    ORDER BY f.rank LIMIT 1) IS NOT NULL END)  -- EXISTS would drop the order, and with it the index
"""

TAKE = """
    WITH taken AS (
        UPDATE labeling_frontieritem SET leased_until = %(until)s::timestamptz WHERE id = ANY(%(items)s::bigint[])
    )
    UPDATE labeling_assignment SET state = 'expired'
    WHERE state = 'leased' AND leased_until < %(at)s AND example_id = ANY(%(examples)s::bigint[])
      AND (holder_id = %(holder)s OR (example_id, slot) IN (SELECT * FROM unnest(%(examples)s::bigint[], %(slots)s::smallint[])))
"""


@dataclass(frozen=True)
class Room:
    """What limits the next lease: assignments held, a pause, and the lanes that have something."""

    held: list[int]
    paused: bool
    lanes: frozenset[str]


def room_of(*, project: Project, by: User, at: datetime, lanes: list[str]) -> Room:
    ((held, paused, found),) = rows(ROOM, {"project": project.pk, "holder": by.pk, "at": at, "lanes": lanes})
    return Room(held, paused, frozenset(found))


@dataclass(frozen=True)
class Slot:
    """One row of NEXT."""

    item_id: int
    example: Example
    slot: int
    lane: str
    rank: int
    reason: dict[str, Any]
    run_number: int | None
    selection_probability: float | None
    imported: Suggestion | None
    guidelines: GuidelineVersion | None

    @classmethod
    def of(cls, row: Sequence[Any]) -> "Slot":
        imported = None
        if row[10] is not None:
            value = orjson.loads(row[12]) if row[12] else None
            imported = Suggestion(label=row[11] or "", value=value, confidence=row[13], source=row[10])
        example = Example(pk=row[1], external_id=row[8], fields=orjson.loads(row[9]))
        reason = orjson.loads(row[5])
        newest = GuidelineVersion(pk=row[14], number=row[15]) if row[14] else None
        return cls(row[0], example, row[2], row[3], row[4], reason, row[6], row[7], imported, newest)
