"""What every gate does: an outcome and a sentence, whatever was measured; and it can say both yes and no, or cannot tell."""

from dataclasses import replace

import pytest

from apps.rules.gates import GATES, Evidence, GateLimits, GateOutcome, judge
from apps.rules.metrics import Difference, Metric

NOTHING = Evidence(
    loaded=False, finite=False, labels=(), n_holdout=0, accuracy=Metric(None, None, None), majority_rate=None
)
GOOD = Evidence(
    loaded=True,
    finite=True,
    labels=("cat", "dog"),
    n_holdout=200,
    accuracy=Metric(0.9, 0.86, 0.94),
    majority_rate=0.6,
    champion_labels=("cat", "dog"),
    accuracy_difference=Difference(0.03, 0.01, 0.05),
    log_loss_difference=Difference(-0.05, -0.09, -0.01),
    metrics={"accuracy": Metric(0.9, 0.86, 0.94)},
    differences={"accuracy": Difference(0.03, 0.01, 0.05)},
)
BAD = replace(
    GOOD,
    loaded=False,
    load_error="header too short",
    labels=("cat",),
    n_holdout=200,
    accuracy=Metric(0.3, 0.26, 0.34),
    accuracy_difference=Difference(-0.3, -0.4, -0.2),
    log_loss_difference=Difference(0.9, 0.5, 1.2),
)
TINY = replace(GOOD, n_holdout=3)
BROKEN = replace(GOOD, accuracy_difference=Difference(None, None, None, "2 rows are broken."), finite=False)
CASES = {"nothing": NOTHING, "good": GOOD, "first": replace(GOOD, champion_labels=None), "bad": BAD, "tiny": TINY}
every = pytest.mark.parametrize("gate", GATES.values(), ids=lambda g: g.name)


@every
@pytest.mark.parametrize("evidence", [*CASES.values(), BROKEN], ids=[*CASES, "broken"])
def test_it_gives_a_result_with_a_sentence_on_any_evidence(gate, evidence):
    result = gate.result(evidence, GateLimits())
    assert result.name == gate.name and result.title in {gate.title, gate.first_title} - {""}
    assert isinstance(result.outcome, GateOutcome)
    assert result.reason.strip() == result.reason and len(result.reason.split()) > 2
    assert result.more_labels is None or (result.more_labels > 0 and result.outcome is GateOutcome.INCONCLUSIVE)


@every
def test_it_lets_a_good_candidate_pass_and_not_every_other(gate):
    assert gate.result(GOOD, GateLimits()).outcome is GateOutcome.PASS
    others = {gate.result(each, GateLimits()).outcome for each in (NOTHING, BAD, TINY, BROKEN)}
    assert others - {GateOutcome.PASS}, "a gate that nothing fails is none"


@every
def test_a_verdict_holds_its_result_and_fails_where_it_fails(gate):
    for evidence in CASES.values():
        verdict = judge(evidence, GateLimits())
        assert [result.name for result in verdict.gates] == list(GATES)
        if gate.result(evidence, GateLimits()).outcome is GateOutcome.FAIL:
            assert verdict.outcome is GateOutcome.FAIL


def test_a_gate_of_an_installed_package_judges_with_the_others(install):
    install(
        GATES,
        "acme-gates",
        """
        from apps.rules.gates import Gate, GateNeed, Judgment, GateOutcome, unmeasured

        LIMIT = -0.02

        def _judge(evidence, limits):
            difference = evidence.differences.get("macro_f1")
            if difference is None or difference.low is None:
                return unmeasured("Macro-F1 was not compared.", difference)
            worse = difference.high < LIMIT
            return Judgment(GateOutcome.FAIL if worse else GateOutcome.PASS, f"Macro-F1 changed by {difference.value:+.2f}.")

        MACRO_F1 = Gate(
            "macro-f1", "No class pays for the others", _judge, needs=frozenset({GateNeed.CHAMPION, GateNeed.HOLDOUT})
        )
        """,
        point="acme_gates:MACRO_F1",
    )
    worse = replace(GOOD, differences={"macro_f1": Difference(-0.2, -0.3, -0.1)})
    verdict = judge(worse, GateLimits())
    assert verdict.outcome is GateOutcome.FAIL
    assert (verdict.gates[-1].name, verdict.reason) == ("macro-f1", "Macro-F1 changed by -0.20.")
    assert judge(GOOD, GateLimits()).outcome is GateOutcome.INCONCLUSIVE
    assert judge(replace(worse, champion_labels=None), GateLimits()).reason == "All 6 gates pass."
