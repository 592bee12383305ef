"""Whether the slow end got slower: the share of requests beyond the champion's own 95th percentile, which is 5 % of its own.

A percentile has no sum over entities; a share beyond a fixed time has, and can be tested like every other.
"""

from apps.rules.rollouts.metrics.metric import Harm, RolloutMetric, shares_of

LATENCY_P95 = RolloutMetric("latency-p95", "Slow requests", Harm.HIGHER, shares_of("slow"))
