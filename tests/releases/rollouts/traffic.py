"""Requests as the predictor logs them while a rollout is under way."""

from datetime import datetime

from apps.monitoring.log.services import LoggedPrediction, predictions_record
from apps.releases.models import Rollout
from apps.rules.rollouts.arms import Arm, is_canary


def asked(
    rollout: Rollout,
    n: int,
    at: datetime,
    *,
    first: int = 0,
    failing: float = 0.0,
    canary_label: str = "spam",
    agreeing: float | None = None,
    canary_ms: float = 5.0,
) -> None:
    """`n` entities ask once each; the canary fails on the share `failing` of its own, a shadow agrees on the share `agreeing`."""
    rows = list[LoggedPrediction]()
    canaries = 0
    for k in range(first, first + n):
        entity = f"user-{k}"
        arm = Arm.CANARY if is_canary(entity, salt=rollout.salt, weight=rollout.weight) else Arm.CHAMPION
        canaries += arm is Arm.CANARY
        failed = arm is Arm.CANARY and (canaries % 100) < 100 * failing
        label = "" if failed else canary_label if arm is Arm.CANARY else ("spam" if k % 2 else "ham")
        if arm is Arm.CANARY and canary_label == "spam" and not failed:
            label = "spam" if canaries % 2 else "ham"
        ms = canary_ms if arm is Arm.CANARY else 1.0 + k % 20
        row = LoggedPrediction(rollout.project_id, f"r{k}", at, 2, label, 0.9, ms, arm, rollout.pk, k, failed)
        rows.append(row)
        if failed:  # the champion answered instead
            rows.append(LoggedPrediction(rollout.project_id, f"r{k}", at, 1, "ham", 0.9, 5.0, Arm.CHAMPION))
        if agreeing is not None:
            same = (k % 100) < 100 * agreeing
            rows.append(
                LoggedPrediction(
                    rollout.project_id, f"r{k}", at, 2, "spam", 0.9, 5.0, Arm.SHADOW, rollout.pk, k, agreed=same
                )
            )
    predictions_record(rows=rows)
