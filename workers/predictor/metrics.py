"""What `/metrics` says of each arm, beside kserve's own figures: requests, failures, seconds, and how many went together."""

from dataclasses import dataclass

from prometheus_client import Counter, Gauge, Histogram

from apps.rules.rollouts.arms import Arm

BY_ARM = ["project", "arm", "version"]
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
REQUESTS = Counter("fastloop_predictor_requests", "Requests that an arm answered", BY_ARM)
FAILURES = Counter("fastloop_predictor_failures", "Requests that an arm was asked and did not answer", BY_ARM)
LATENCY = Histogram(
    "fastloop_predictor_latency_seconds", "From the question to the arm's answer", BY_ARM, buckets=SECONDS
)
REFUSED = Counter(
    "fastloop_predictor_refused", "Requests that nobody could have answered: the client's fault", ["project"]
)
BATCH = Histogram("fastloop_predictor_batch_size", "Requests in one forward pass", ["network"], buckets=ROWS)
LOST = Counter(
    "fastloop_predictor_log_lost",
    "Answers that are not logged: the disk did not take them, or no room was left while the database was away",
)
WAITING = Gauge("fastloop_predictor_log_waiting", "Answers in the predictor's files that are not in the database yet")
SPOOL = Gauge("fastloop_predictor_log_spool_bytes", "Bytes of those files")


@dataclass(frozen=True)
class _Series:
    requests: Counter
    failures: Counter
    latency: Histogram


class ArmMetrics:
    """Those of one project. Series of versions that serve no more go, or each release would leave some for ever."""

    def __init__(self, project: str) -> None:
        self.project = project
        self._series: dict[tuple[str, int], _Series] = {}

    def answered(self, arm: Arm, version: int, latency_ms: float) -> None:
        series = self._of(arm, version)
        series.requests.inc()
        series.latency.observe(latency_ms / 1000)

    def failed(self, arm: Arm, version: int) -> None:
        self._of(arm, version).failures.inc()

    def refused(self) -> None:
        REFUSED.labels(self.project).inc()

    def keep(self, versions: set[int]) -> None:
        for arm, version in [key for key in self._series if key[1] not in versions]:
            del self._series[arm, version]
            for metric in (REQUESTS, FAILURES, LATENCY):
                metric.remove(self.project, arm, str(version))

    def _of(self, arm: Arm, version: int) -> _Series:
        found = self._series.get((str(arm), version))
        if found is None:
            labels = (self.project, str(arm), str(version))
            found = _Series(REQUESTS.labels(*labels), FAILURES.labels(*labels), LATENCY.labels(*labels))
            self._series[str(arm), version] = found
        return found
