"""Policies of gates: what is taken, what is refused in which sentence, and what a warning means for a verdict."""

from dataclasses import replace

import pytest

from apps.rules.gates import GateOutcome, gate_policy_of, gate_policy_of_yaml, judge, kept_gate_policy
from apps.rules.metrics import Difference
from apps.rules.policies import PolicyRefused
from tests.rules.test_gate import BETTER

LOADS = {"type": "loads"}


def refused(given):
    with pytest.raises(PolicyRefused) as fault:
        gate_policy_of(given)
    return str(fault.value)


@pytest.mark.parametrize(
    ("gates", "sentence"),
    [
        ([{"type": "lods"}], "(gates 1, type): no gate is called “lods”; loads, schema, holdout, gain, log_loss"),
        ([{"type": "gain"}], "“loads” is in every policy: a model that fails it cannot serve."),
        ([{**LOADS, "blocking": False}], "(gates 1): “loads” always blocks: a model that fails it cannot serve."),
        ([LOADS, {"type": "gain", "parameters": {"allowedLoss": 2}}], "(gates 2): parameters, allowedLoss: it is at most 1"),
        ([LOADS, {"type": "gain", "parameters": {"allowedLoss": -1}}], "parameters, allowedLoss: it is at least 0"),
        ([LOADS, {"type": "gain", "parameters": {"allowedLoss": float("nan")}}], "allowedLoss: it is a finite number"),
        ([LOADS, {"type": "gain", "parameters": {"allowed": 1}}], "“allowed” is not known here"),
        ([LOADS, {"type": "gain", "parameters": [1]}], "(gates 2, parameters): it is a mapping"),
        ([LOADS, {"type": "gain"}, {"type": "gain"}], "two gates are called “gain”; give one of them a name of its own."),
        ([LOADS, {"type": "gain", "name": "a gate"}], "a name has small letters, digits and single dashes only"),
        ([LOADS, {"type": "gain", "blocks": True}], "“blocks” is not known here"),
        ([], "it has at least 1"),
        ([LOADS] * 31, "it has at most 30"),
        ("loads", "it is a list"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_with_its_place(gates, sentence):
    assert sentence in refused({"gates": gates})


@pytest.mark.parametrize("given", [None, 7, [], "gates"])
def test_what_is_no_mapping_is_refused_with_an_example(given):
    assert refused(given) == "The policy cannot be used: it is a mapping, like “gates: [{type: loads}]”."


def test_yaml_with_tricks_is_refused():
    with pytest.raises(PolicyRefused, match="aliases"):
        gate_policy_of_yaml("gates: &a [{type: loads}]\nmore: *a")
    with pytest.raises(PolicyRefused, match="“type” stands twice"):
        gate_policy_of_yaml("gates: [{type: loads, type: gain}]")


def test_the_same_type_stands_twice_under_two_names_with_limits_of_its_own():
    twice = [{"type": "gain"}, {"type": "gain", "name": "strict", "parameters": {"allowedLoss": 0}}]
    policy = gate_policy_of({"gates": [LOADS, *twice]})
    loss = replace(BETTER, accuracy_difference=Difference(-0.005, -0.015, 0.005))
    verdict = judge(loss, policy)
    assert [(g.name, g.type, g.outcome) for g in verdict.gates] == [
        ("loads", "loads", GateOutcome.PASS),
        ("gain", "gain", GateOutcome.PASS),
        ("strict", "gain", GateOutcome.INCONCLUSIVE),
    ]


def test_a_warning_is_listed_and_decides_nothing():
    gates = [LOADS, {"type": "gain"}, {"type": "log_loss", "blocking": False}]
    worse = replace(BETTER, log_loss_difference=Difference(0.15, 0.02, 0.30))
    verdict = judge(worse, gate_policy_of({"gates": gates}))
    assert (verdict.outcome, verdict.reason) == (GateOutcome.PASS, "All 2 gates that block pass; 1 warning.")
    assert (verdict.gates[-1].outcome, verdict.gates[-1].blocking) == (GateOutcome.FAIL, False)
    assert judge(worse).outcome is GateOutcome.FAIL


def test_a_least_holdout_of_its_own_counts_for_its_gate_alone():
    gates = [LOADS, {"type": "gain", "parameters": {"leastHoldout": 500}}, {"type": "log_loss"}]
    verdict = judge(BETTER, gate_policy_of({"gates": gates}))
    assert [g.outcome for g in verdict.gates] == [GateOutcome.PASS, GateOutcome.INCONCLUSIVE, GateOutcome.PASS]


def test_a_kept_policy_outlives_the_package_whose_gate_it_names():
    kept = kept_gate_policy({"gates": [LOADS, {"type": "acme", "parameters": {"size": 3}}]})
    verdict = judge(BETTER, kept)
    assert (verdict.outcome, verdict.gates[-1].name) == (GateOutcome.INCONCLUSIVE, "acme")
    assert verdict.reason == "No gate of the type “acme” is installed any more; set the policy without it."
    assert kept.written()["gates"][1] == {"type": "acme", "parameters": {"size": 3}}


def test_settings_that_a_gate_no_longer_takes_leave_it_in_doubt():
    kept = kept_gate_policy({"gates": [LOADS, {"type": "gain", "parameters": {"allowedLoss": 7}}]})
    assert judge(BETTER, kept).reason == "Its settings cannot be used any more: allowedLoss: it is at most 1."
