"""What every gate does: an outcome and a sentence, whatever was measured; and it can say both yes and no, or cannot tell."""

import json
from dataclasses import replace

import numpy as np
import pytest

from apps.rules.gates import GATES, Evidence, GateOutcome, gate_policy_of, judge, standing_policy
from apps.rules.gates.rows import ColumnValues, HoldoutRows, ServingTrial
from apps.rules.metrics import Difference, Metric
from apps.rules.policies import PolicyRefused


def holdout_rows(n, wrong_in=""):
    """Half of them from ES, half from FR; the champion has all right, the candidate none of one country."""
    country = tuple("ES" if i % 2 else "FR" for i in range(n))
    truth = np.array([i // 2 % 2 for i in range(n)], np.int64)
    right = np.eye(2)[truth] * 0.98 + 0.01
    wrong = np.array([c == wrong_in for c in country])
    candidate = np.where(wrong[:, None], 1 - right, right)
    return HoldoutRows(np.arange(n), truth, candidate, right, ("cat", "dog"), columns={"country": country})


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
    metrics={"accuracy": Metric(0.9, 0.86, 0.94), "calibration_error": Metric(0.02, 0.01, 0.04)},
    differences={"accuracy": Difference(0.03, 0.01, 0.05)},
    rows=holdout_rows(200),
    sensitive=("country",),
    values=ColumnValues({"age": tuple(range(100))}, {"age": tuple(range(50))}),
    serving=ServingTrial("", 100, 3.0, 500.0, 0.1),
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
    metrics={"accuracy": Metric(0.3, 0.26, 0.34), "calibration_error": Metric(0.6, 0.5, 0.7)},
    differences={"accuracy": Difference(-0.3, -0.4, -0.2)},
    rows=holdout_rows(200, wrong_in="ES"),
    values=ColumnValues({"age": tuple(range(100))}, {"age": ("old",) * 50}),
    serving=ServingTrial("its process was ended by SIGKILL."),
)
TINY = replace(GOOD, n_holdout=3, rows=holdout_rows(3))
BROKEN = replace(
    GOOD,
    accuracy_difference=Difference(None, None, None, "2 rows are broken."),
    finite=False,
    metrics={},
    differences={},
    rows=replace(GOOD.rows, candidate=GOOD.rows.candidate * np.nan),
    values=None,
    serving=None,
)
LOADS = GATES["loads"]
SETTINGS: dict[str, dict[str, object]] = {  # what a gate cannot do without
    "metric-threshold": {"metric": "accuracy", "threshold": 0.8},
    "metric-change": {"metric": "accuracy"},
    "slices": {"by": "column", "names": ["country"]},
}


def settings(gate):
    return {"type": gate.name, **({"parameters": SETTINGS[gate.name]} if gate.name in SETTINGS else {})}


def judged(gate, evidence):
    return gate.judged(evidence, gate.parameters.model_validate(SETTINGS.get(gate.name, {})))


def policy(gate):
    return gate_policy_of({"gates": [*([] if gate.required else [{"type": "loads"}]), settings(gate)]})


CASES = {"nothing": NOTHING, "good": GOOD, "first": replace(GOOD, champion_labels=None), "bad": BAD, "tiny": TINY}
every = pytest.mark.parametrize("gate", GATES.values(), ids=lambda g: g.name)


@every
@pytest.mark.parametrize("evidence", [*CASES.values(), BROKEN], ids=[*CASES, "broken"])
def test_it_gives_a_result_with_a_sentence_on_any_evidence(gate, evidence):
    result = judged(gate, evidence)
    assert gate.titled(evidence) in {gate.title, gate.first_title} - {""}
    assert isinstance(result.outcome, GateOutcome)
    assert result.reason.strip() == result.reason and len(result.reason.split()) > 2
    assert result.more_labels is None or (result.more_labels > 0 and result.outcome is GateOutcome.INCONCLUSIVE)


@every
def test_it_lets_a_good_candidate_pass_and_not_every_other(gate):
    assert judged(gate, GOOD).outcome is GateOutcome.PASS
    others = {judged(gate, each).outcome for each in (NOTHING, BAD, TINY, BROKEN)}
    assert others - {GateOutcome.PASS}, "a gate that nothing fails is none"
    assert json.loads(json.dumps(dict(judged(gate, BAD).details), allow_nan=False)) == dict(judged(gate, BAD).details)


@every
def test_a_verdict_holds_its_result_and_fails_where_it_fails_and_blocks(gate):
    for evidence in CASES.values():
        fails = judged(gate, evidence).outcome is GateOutcome.FAIL
        verdict = judge(evidence, policy(gate))
        assert [(each.name, each.type) for each in verdict.gates][-1] == (gate.name, gate.name)
        assert (verdict.outcome is GateOutcome.FAIL) == (fails or judged(LOADS, evidence).outcome is GateOutcome.FAIL)


@every
def test_what_a_policy_sets_of_it_has_a_title_and_is_kept_as_it_was_written(gate):
    fields = gate.parameters.model_fields
    assert [name for name, each in fields.items() if not each.title] == []
    written = {"gates": [*({"type": "loads"} for _ in range(gate.name != "loads")), settings(gate)]}
    assert gate_policy_of(written).written() == written


@every
def test_a_policy_refuses_what_it_does_not_know_in_one_sentence(gate):
    with pytest.raises(PolicyRefused, match="“nonsense” is not known here"):
        gate_policy_of({"gates": [{**settings(gate), "parameters": {**SETTINGS.get(gate.name, {}), "nonsense": 1}}]})


def test_who_judges_without_a_policy_are_the_five_with_their_usual_limits():
    assert standing_policy().written() == {
        "gates": [{"type": name} for name in ("loads", "schema", "holdout", "gain", "log_loss")]
    }
    assert [(r.name, r.outcome, r.reason) for r in judge(GOOD, standing_policy()).gates] == [
        (g.name, judged(g, GOOD).outcome, judged(g, GOOD).reason) for g in GATES.values() if g.standing
    ]


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
    verdict = judge(worse)
    assert verdict.outcome is GateOutcome.FAIL
    assert (verdict.gates[-1].name, verdict.reason) == ("macro-f1", "Macro-F1 changed by -0.20.")
    assert judge(GOOD).outcome is GateOutcome.INCONCLUSIVE
    assert judge(replace(worse, champion_labels=None)).reason == "All 6 gates pass."
