"""The predictor's own code loads it in a process of its own and answers the holdout in time and in memory: TFX's infra blessing."""

from pydantic import Field

from apps.rules.gates.gate import Evidence, Gate, GateOutcome, GateParameters, Judgment
from apps.rules.gates.rows import GateReads
from apps.rules.sentences import sentence
from apps.rules.words import count


class InfraParameters(GateParameters):
    p95_ms: float = Field(
        200,
        gt=0,
        le=600_000,
        title="Slowest answers",
        description="Milliseconds within which 95 % of requests are answered.",
    )
    memory_mb: float = Field(2048, gt=0, le=4_000_000, title="Memory", description="Of its process at most, in MB.")
    requests: int = Field(
        200, ge=1, le=5_000, title="Requests", description="Holdout examples that it is asked about, one by one."
    )
    timeout_s: float = Field(
        120, ge=1, le=600, title="Time for all", description="Seconds; then the trial is ended and fails."
    )


def _judge(evidence: Evidence, parameters: InfraParameters) -> Judgment:
    trial = evidence.serving
    if trial is None:
        return Judgment(GateOutcome.INCONCLUSIVE, sentence("It was not tried in a predictor."))
    if trial.error:
        return Judgment(GateOutcome.FAIL, sentence("It does not serve: {error}", error=trial.error))
    if not trial.requests:
        return Judgment(GateOutcome.INCONCLUSIVE, sentence("There is no holdout example to ask it about."))
    details = {
        "requests": trial.requests,
        "p95_ms": round(trial.p95_ms, 2),
        "peak_mb": round(trial.peak_mb, 1),
        "load_s": round(trial.load_s, 3),
        "unlike": trial.unlike,
        "limits": {"p95_ms": parameters.p95_ms, "memory_mb": parameters.memory_mb},
    }
    measured = sentence(
        "{requests}, 95 % of them within {p95:.1f} ms, {memory:,.0f} MB at most",
        requests=count(trial.requests, "request"),
        p95=trial.p95_ms,
        memory=trial.peak_mb,
    )
    if trial.unlike:
        words = sentence("{measured}; {n} answers are not those that were judged.", measured=measured, n=trial.unlike)
    elif trial.p95_ms > parameters.p95_ms:
        words = sentence("{measured}; {limit:g} ms are allowed.", measured=measured, limit=parameters.p95_ms)
    elif trial.peak_mb > parameters.memory_mb:
        words = sentence("{measured}; {limit:,.0f} MB are allowed.", measured=measured, limit=parameters.memory_mb)
    else:
        return Judgment(GateOutcome.PASS, sentence("{measured}.", measured=measured), details=details)
    return Judgment(GateOutcome.FAIL, words, details=details)


INFRA = Gate(
    "infra",
    "A predictor serves it in time and memory",
    _judge,
    parameters=InfraParameters,
    standing=False,
    reads=lambda p: GateReads(serving_requests=p.requests, serving_timeout_s=p.timeout_s),
)
