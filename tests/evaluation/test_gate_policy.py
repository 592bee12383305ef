"""A project's gates: set as rows, as YAML and over the API; who may; what a report keeps of them."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.audit.models import Event
from apps.errors import Invalid
from apps.evaluation.gates.policies import GATE_POLICY
from apps.evaluation.models import GatePolicyVersion, Outcome
from apps.evaluation.reading import headline
from apps.projects.models import Project
from apps.projects.policies.selectors import policy_in_force
from apps.projects.policies.services import policy_given, policy_set
from apps.releases.services import GateClosed, model_promote
from apps.rules.gates import gate_policy_of, standing_policy
from tests.api import api_of, at
from tests.conftest import NOON
from tests.rows import judged, labeled, model, trained

As = Callable[[User], Client]
STRICT = {"gates": [{"type": "loads"}, {"type": "gain", "parameters": {"allowedLoss": 0}}]}


def rows_of(page: Any) -> dict[str, str]:
    """What a browser sends of the form as it stands."""
    sent: dict[str, Any] = {"gate": []}
    for row in page.context["rows"]:
        sent["gate"].append(row.index)
        sent[f"{row.index}-type"] = row.type.name
        for bound in row.form:
            value = bound.value()
            sent[bound.html_name] = "" if value is None else value
    return sent


def field(page: Any, gate: str, name: str) -> str:
    return next(row.form[name].html_name for row in page.context["rows"] if row.type.name == gate)


def test_a_project_without_a_policy_is_judged_by_the_standing_gates(project: Project) -> None:
    assert policy_in_force(GATE_POLICY, project) == standing_policy()


def test_the_form_sent_as_it_stands_says_what_is_in_force(as_: As, lin: User, project: Project) -> None:
    page = as_(lin).get(reverse("gates:policy", args=[project.pk]))
    assert "It is not worse than the champion" in page.text and "These judge where nobody has set others." in page.text
    assert as_(lin).post(reverse("gates:policy_set", args=[project.pk]), rows_of(page)).status_code == 302
    assert GatePolicyVersion.objects.get().policy == standing_policy().written()


def test_a_row_edited_in_the_browser_is_the_next_version(as_: As, mona: User, project: Project) -> None:
    address = reverse("gates:policy", args=[project.pk])
    page = as_(mona).get(address)
    sent = rows_of(page) | {
        field(page, "gain", "p-allowed_loss"): "0.01",
        field(page, "gain", "name"): "small-loss",
        field(page, "log_loss", "acts"): "warns",
    }
    assert as_(mona).post(reverse("gates:policy_set", args=[project.pk]), sent).status_code == 302
    row = GatePolicyVersion.objects.get()
    assert (row.number, row.by) == (1, mona)
    assert row.policy["gates"][3:] == [
        {"type": "gain", "name": "small-loss", "parameters": {"allowedLoss": 0.01}},
        {"type": "log_loss", "blocking": False},
    ]
    event = Event.objects.get(verb="gate_policy.set")
    assert (event.sentence, event.after) == ("Mona set gate policy 1, 5 gates.", {"policy": row.policy})
    shown = as_(mona).get(address).text
    assert "allowed loss of accuracy 0.01" in shown and "small-loss" in shown and "Policy 1" in shown


def test_a_row_is_added_and_left_out_before_anything_is_set(as_: As, lin: User, project: Project) -> None:
    page = as_(lin).get(reverse("gates:policy", args=[project.pk]))
    address, sent = reverse("gates:policy_set", args=[project.pk]), rows_of(page)
    more = as_(lin).post(address, sent | {"add": "1", "add_type": "gain"})
    assert [row.type.name for row in more.context["rows"]][-2:] == ["log_loss", "gain"]
    strange = as_(lin).post(address, sent | {"add": "1", "add_type": "?"})
    assert len(strange.context["rows"]) == len(sent["gate"]), "an unknown type adds none, and sets nothing"
    fewer = as_(lin).post(address, sent | {"remove": sent["gate"][3]})
    assert [row.type.name for row in fewer.context["rows"]] == ["loads", "schema", "holdout", "log_loss"]
    twice = as_(lin).post(address, rows_of(more))
    assert twice.status_code == 422 and "two gates are called “gain”" in twice.text
    assert not GatePolicyVersion.objects.exists()


def test_a_value_that_cannot_be_stands_beside_its_row(as_: As, lin: User, project: Project) -> None:
    page = as_(lin).get(reverse("gates:policy", args=[project.pk]))
    for wrong in ("2", "-1", "much", "nan"):
        sent = rows_of(page) | {field(page, "gain", "p-allowed_loss"): wrong}
        refused = as_(lin).post(reverse("gates:policy_set", args=[project.pk]), sent)
        assert refused.status_code == 422, wrong
        assert [row.type.name for row in refused.context["rows"] if row.fault or row.form.errors] == ["gain"], wrong
    assert not GatePolicyVersion.objects.exists()


@pytest.mark.parametrize("form", [{}, {"gate": "x"}, {"gate": ["x"] * 500, "x-type": "nope"}])
def test_a_form_of_nonsense_is_refused_in_words(as_: As, lin: User, project: Project, form: dict[str, Any]) -> None:
    refused = as_(lin).post(reverse("gates:policy_set", args=[project.pk]), form)
    assert refused.status_code == 422 and "The policy cannot be used" in refused.text
    assert not GatePolicyVersion.objects.exists()


def test_yaml_is_taken_or_stays_with_its_fault(as_: As, lin: User, project: Project) -> None:
    address = reverse("gates:yaml_set", args=[project.pk])
    refused = as_(lin).post(address, {"policy": "gates: [{type: gain}]"})
    assert refused.status_code == 422 and "“loads” is in every policy" in refused.text
    assert as_(lin).post(address, {"policy": "gates: [{type: loads}, {type: gain}]"}).status_code == 302
    assert [g.type for g in policy_in_force(GATE_POLICY, project).gates] == ["loads", "gain"]


def test_the_api_reads_and_sets_them(lin: User, ada: User, project: Project) -> None:
    address = at(project, "gate-policy/")
    assert api_of(lin).get(address).json() == {"number": 0, "policy": standing_policy().written()}
    assert api_of(lin).put(address, {"policy": STRICT}, format="json").json() == {"number": 1, "policy": STRICT}
    for wrong in ({}, {"policy": STRICT, "yaml": "x"}, {"policy": {}}, {"yaml": "gates: ["}, {"policy": {"gates": 3}}):
        assert api_of(lin).put(address, wrong, format="json").status_code == 422, wrong
    assert api_of(ada).get(address).status_code == 403
    assert api_of(lin).get(address).json()["number"] == 1


def test_whoever_only_labels_or_looks_sets_nothing(as_: As, rosa: User, project: Project) -> None:
    assert as_(rosa).post(reverse("gates:yaml_set", args=[project.pk]), {"policy": "gates: []"}).status_code == 403
    assert not GatePolicyVersion.objects.exists()


def test_what_gives_no_policy_is_refused_and_the_old_one_stays(project: Project, lin: User) -> None:
    policy_set(GATE_POLICY, project=project, policy=gate_policy_of(STRICT), by=lin, at=NOON)
    with pytest.raises(Invalid):
        policy_given(GATE_POLICY, {"gates": [{"type": "gain"}]})
    assert policy_in_force(GATE_POLICY, project) == gate_policy_of(STRICT)


def test_a_gate_that_only_warns_neither_counts_nor_closes(project: Project, lin: User) -> None:
    labeled(project)
    version = model(project)
    report = version.report
    report.gates = [
        {"name": "loads", "title": "It loads and answers", "outcome": "pass", "reason": "It does."},
        {
            "name": "calm",
            "type": "log_loss",
            "title": "Its log-loss",
            "outcome": "fail",
            "reason": "No.",
            "blocking": False,
        },
    ]
    report.save()
    assert (headline(report), [g["name"] for g in report.warnings]) == ("Pass", ["calm"])
    model_promote(version=version, reason="", by=lin, at=NOON)
    worse = model(project, Outcome.FAIL)
    with pytest.raises(GateClosed, match="It is not worse than the champion"):
        model_promote(version=worse, reason="", by=lin, at=NOON)


def test_a_report_keeps_the_policy_that_judged_it_and_old_ones_say_none(as_: As, project: Project, lin: User) -> None:
    labeled(project)
    old = judged(trained(project))
    assert (old.gate_policy, old.deciding_gates) == (None, old.gates)
    run = api_of(lin).get(f"/api/v1/runs/{old.run_id}/").json()
    assert run["report"]["gate_policy"] == 0
    old.gate_policy = policy_set(GATE_POLICY, project=project, policy=gate_policy_of(STRICT), by=lin, at=NOON)
    old.save()
    policy_set(GATE_POLICY, project=project, policy=standing_policy(), by=lin, at=NOON)
    assert api_of(lin).get(f"/api/v1/runs/{old.run_id}/").json()["report"]["gate_policy"] == 1
