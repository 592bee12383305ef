"""Draw open examples by chance, each with the same probability, without walking over a million of them."""

from dataclasses import dataclass
from typing import Any

from django.db import connection

from apps.projects.models import Project

WALK_UP_TO = 50_000  # ids: so many are looked at at once, and in the order of a hash
PROBES = 8  # ids looked up for each example wanted, a round; one in twenty is on the holdout's side
ROUNDS = 6

# Examples that still want an answer. %(...)s are bound; the lane decides the side of the holdout.
OPEN = """
    FROM datasets_example e
    WHERE e.project_id = %(project)s AND e.holdout = %(holdout)s
      AND NOT EXISTS (SELECT 1 FROM labeling_label l WHERE l.example_id = e.id)
      AND NOT EXISTS (SELECT 1 FROM labeling_setaside s WHERE s.example_id = e.id)
      AND NOT EXISTS (SELECT 1 FROM labeling_autolabel m WHERE m.example_id = e.id)
"""


# What somebody has begun stays in its lane, at the front of it: a draw never moves it to the end of another.
_FREE = """NOT EXISTS (SELECT 1 FROM labeling_frontieritem f WHERE f.example_id = e.id AND (f.lane <> %(displaces)s
    OR EXISTS (SELECT 1 FROM labeling_assignment b WHERE b.example_id = e.id AND b.state = 'answered')))"""

_WALK = f"""
    SELECT e.id, count(*) OVER () AS pool {OPEN} AND {_FREE}
    ORDER BY hashint8extended(e.id, %(seed)s) LIMIT %(wanted)s
"""

_RANGE = """
    SELECT (SELECT min(id) FROM datasets_example WHERE project_id = %(project)s AND holdout = %(holdout)s),
           (SELECT max(id) FROM datasets_example WHERE project_id = %(project)s AND holdout = %(holdout)s)
"""

_PROBED = """FROM (
        SELECT DISTINCT %(first)s + (hashint8extended(i, %(seed)s) & 9223372036854775807) %% %(span)s AS id
        FROM generate_series(1, %(probes)s) AS i
    ) p JOIN datasets_example e ON e.id = p.id"""
_PROBE = f"""
    SELECT e.id {OPEN.replace("FROM datasets_example e", _PROBED)} AND {_FREE}
    ORDER BY hashint8extended(e.id, %(seed)s)
"""


@dataclass(frozen=True)
class Drawn:
    """Ids in the order of the draw, and the probability that an open example was among them."""

    ids: list[int]
    share: float


def draw(project: Project, *, holdout: bool, displaces: str, wanted: int, seed: int) -> Drawn:
    """Up to `wanted` open examples of one side that no lane but `displaces` holds.

    In a wide range of ids random ones are looked up and those that do not fit are passed over (rejection sampling), so
    that the draw stays uniform over those that do. Where nearly all are passed over, all are looked at.
    """
    bound: dict[str, Any] = {
        "project": project.pk,
        "holdout": holdout,
        "displaces": displaces,
        "wanted": wanted,
        "seed": seed,
    }
    with connection.cursor() as cursor:
        cursor.execute(_RANGE, bound)
        first, last = cursor.fetchone()
    if first is None or wanted <= 0:
        return Drawn([], 0.0)
    span = last - first + 1
    return (_probed(bound, first, span) if span > WALK_UP_TO else None) or _walked(bound)


def _probed(bound: dict[str, Any], first: int, span: int) -> Drawn | None:
    """None where the rounds did not find half of what is wanted."""
    wanted, found, hits = bound["wanted"], dict[int, None](), 0.0
    for turn in range(ROUNDS):
        probes = PROBES * wanted * (turn + 1)
        with connection.cursor() as cursor:
            cursor.execute(
                _PROBE, {**bound, "seed": bound["seed"] + turn, "first": first, "span": span, "probes": probes}
            )
            found.update((row[0], None) for row in cursor.fetchall())
        hits = hits or len(found) / probes  # of the first round: later ones find again what is found
        if len(found) >= wanted:
            break
    if 2 * len(found) < wanted:
        return None
    ids = list(found)[:wanted]
    return Drawn(ids, min(1.0, len(ids) / max(len(found), span * hits)))


def _walked(bound: dict[str, Any]) -> Drawn:
    with connection.cursor() as cursor:
        cursor.execute(_WALK, bound)
        rows = cursor.fetchall()
    return Drawn([row[0] for row in rows], min(1.0, bound["wanted"] / rows[0][1]) if rows else 0.0)
