"""The metrics by name. A new one is a file beside this one and a line here."""

from apps.rules.registry import Registry
from apps.rules.rollouts.metrics.agreement import AGREEMENT
from apps.rules.rollouts.metrics.class_mix import CLASS_MIX
from apps.rules.rollouts.metrics.error_rate import ERROR_RATE
from apps.rules.rollouts.metrics.feedback import FEEDBACK
from apps.rules.rollouts.metrics.latency_p95 import LATENCY_P95
from apps.rules.rollouts.metrics.metric import RolloutMetric

METRICS = Registry[RolloutMetric](
    group="fastloop.rollout_metrics",
    noun="rollout metric",
    kind=RolloutMetric,
    own=(ERROR_RATE, LATENCY_P95, CLASS_MIX, AGREEMENT, FEEDBACK),
)
