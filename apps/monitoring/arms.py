"""What both arms of a rollout did, from the prediction log: sums over entities, in one statement each."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import connection

from apps.monitoring.models import Prediction
from apps.rules.rollouts.arms import Arm
from apps.rules.rollouts.metrics import ArmEvidence, LookEvidence
from apps.rules.rollouts.samples import ArmSample

SLOW = 0.95  # of the stable arm's latencies are below what counts as slow

ARMS = """
WITH slow AS MATERIALIZED (
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


_FED = """
WITH entities AS (
    SELECT {table}.arm, coalesce({table}.entity, {table}.id) AS entity, count(*)::float8 AS x,
           sum({worth})::float8 AS y, bool_and({worth} IN (0, 1)) AS shares
    FROM {rows}
    WHERE {table}.rollout = %(rollout)s AND {table}.{moment} > %(since)s AND {table}.{moment} <= %(until)s AND {only}
    GROUP BY 1, 2
)
SELECT bool_and(shares), arm, count(*), sum(x), sum(y), sum(x * x), sum(y * y), sum(x * y) FROM entities GROUP BY arm
"""
FED = _FED.format(
    table="f", moment="answered_at", worth="f.worth", rows="monitoring_feedback f", only="f.name = %(name)s"
)
FED_OR_NOT = _FED.format(
    table="p",
    moment="at",
    worth="coalesce(f.worth, 0)",
    rows="monitoring_prediction p LEFT JOIN monitoring_feedback f ON f.project_id = p.project_id "
    "AND f.inference_id = p.inference_id AND f.item = p.item AND f.name = %(name)s",
    only="NOT p.failed AND p.arm <> 'shadow'",
)


def feedback_seen(
    evidence: LookEvidence, *, rollout: int, name: str, since: datetime, until: datetime, silence_is_zero: bool
) -> LookEvidence:
    """The evidence with what came back under one name for answers of this time, in sums over entities.

    Where silence is zero, every answer counts; else those for which something came.
    """
    values: dict[str, Any] = {"rollout": rollout, "name": name, "since": since, "until": until}
    with connection.cursor() as cursor:
        cursor.execute(FED_OR_NOT if silence_is_zero else FED, values)
        rows = cursor.fetchall()
    samples = {arm: ArmSample(*sums) for _, arm, *sums in rows}
    return replace(
        evidence,
        canary=_with(evidence.canary, samples.get(Arm.CANARY)),
        stable=_with(evidence.stable, samples.get(Arm.CHAMPION)),
        feedback_shares=all(shares for shares, *_ in rows),
    )


def _with(evidence: ArmEvidence, sample: ArmSample | None) -> ArmEvidence:
    return evidence if sample is None else replace(evidence, samples={**evidence.samples, "feedback": sample})


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
