"""What both arms of a rollout did, from the prediction log: sums over entities, in one statement each."""

from datetime import datetime
from typing import Any

from django.db import connection

from apps.monitoring.models import Prediction
from apps.rules.rollouts.arms import Arm
from apps.rules.rollouts.metrics import ArmEvidence, LookEvidence
from apps.rules.rollouts.samples import ArmSample

SLOW = 0.95  # of the stable arm's latencies are below what counts as slow

ARMS = """
WITH slow AS (
    SELECT percentile_cont(%(share)s) WITHIN GROUP (ORDER BY latency_ms) AS ms FROM monitoring_prediction
    WHERE rollout = %(rollout)s AND at > %(since)s AND at <= %(until)s AND arm = 'champion' AND NOT failed
), entities AS (
    SELECT arm, coalesce(entity, id) AS entity, count(*)::float8 AS x, count(*) FILTER (WHERE failed)::float8 AS errors,
           count(*) FILTER (WHERE NOT failed)::float8 AS answered,
           count(*) FILTER (WHERE NOT failed AND latency_ms > slow.ms)::float8 AS slow
    FROM monitoring_prediction, slow
    WHERE rollout = %(rollout)s AND at > %(since)s AND at <= %(until)s AND arm <> 'shadow'
    GROUP BY arm, 2
)
SELECT arm, count(*), sum(x), sum(errors), sum(x * x), sum(errors * errors), sum(x * errors),
       count(*) FILTER (WHERE answered > 0), sum(answered), sum(slow), sum(answered * answered), sum(slow * slow),
       sum(answered * slow)
FROM entities GROUP BY arm
"""


def arms_seen(*, rollout: int, since: datetime, until: datetime) -> LookEvidence:
    """`rollout` is its key. What came at `since` or before is of another step, and of other weights."""
    with connection.cursor() as cursor:
        cursor.execute(ARMS, {"rollout": rollout, "since": since, "until": until, "share": SLOW})
        sums = {row[0]: row[1:] for row in cursor.fetchall()}
    rows = Prediction.objects.filter(rollout=rollout, at__gt=since, at__lte=until)
    labels = _labels(rollout, since, until)
    shadows = rows.filter(arm=Arm.SHADOW, agreed__isnull=False)
    return LookEvidence(
        canary=ArmEvidence(_samples(sums.get(Arm.CANARY)), labels.get(Arm.CANARY, {})),
        stable=ArmEvidence(_samples(sums.get(Arm.CHAMPION)), labels.get(Arm.CHAMPION, {})),
        mirrored=shadows.count(),
        agreed=shadows.filter(agreed=True).count(),
    )


def entities_seen(*, rollout: int, since: datetime, until: datetime) -> dict[str, int]:
    """Distinct entities by arm, for the sample ratio."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT arm, count(DISTINCT coalesce(entity, id)) FROM monitoring_prediction "
            "WHERE rollout = %s AND at > %s AND at <= %s AND arm <> 'shadow' GROUP BY arm",
            [rollout, since, until],
        )
        return dict(cursor.fetchall())


def _labels(rollout: int, since: datetime, until: datetime) -> dict[str, dict[str, int]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT arm, label, count(*) FROM monitoring_prediction "
            "WHERE rollout = %s AND at > %s AND at <= %s AND arm <> 'shadow' AND NOT failed GROUP BY arm, label",
            [rollout, since, until],
        )
        found: dict[str, dict[str, int]] = {}
        for arm, label, number in cursor.fetchall():
            found.setdefault(arm, {})[label] = number
    return found


def _samples(sums: tuple[Any, ...] | None) -> dict[str, ArmSample]:
    if sums is None:
        return {}
    entities, x, errors, xx, ee, xe, answering, answered, slow, aa, ss, as_ = sums
    found = {"errors": ArmSample(entities, x, errors, xx, ee, xe)}
    if answered:
        found["slow"] = ArmSample(answering, answered, slow, aa, ss, as_)
    return found
