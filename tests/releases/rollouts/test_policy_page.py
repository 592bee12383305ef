"""The release policy in the browser: rows of steps, and the same as YAML."""

from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.projects.models import Project
from apps.projects.policies.services import policy_given, policy_set
from apps.releases.models import ReleasePolicy
from apps.releases.rollouts.policies import RELEASE_POLICY
from tests.conftest import NOON

As = Callable[[User], Client]
WHOLE: dict[str, Any] = {
    "steps": [
        {"setMirrorRoute": {"percentage": 50}},
        {"setWeight": 12.5},
        {
            "analysis": {
                "metrics": [
                    {"name": "error-rate", "interval": "1m", "count": 6, "minSample": 50},
                    {
                        "name": "latency-p95",
                        "interval": "5m",
                        "count": 12,
                        "minSample": 100,
                        "test": "threshold",
                        "failureCondition": "result > 0.2",
                        "failureLimit": 2,
                    },
                ]
            }
        },
        {"pause": {"duration": "1h"}},
        {"pause": {}},
        {"setWeight": 100},
    ],
    "falseAborts": 0.02,
    "rollbackWindow": 5,
    "whileOne": "supersede",
}


def address(name: str, project: Project) -> str:
    return reverse(f"releases:{name}", args=[project.pk])


def fields(page: HttpResponse) -> dict[str, Any]:
    """What a browser would send of the rows that the page shows."""
    said: dict[str, Any] = {}
    forms = [page.context["limits"]]
    for row in page.context["rows"]:
        said.setdefault("step", []).append(row.index)
        said[f"{row.index}-kind"] = row.kind
        if row.metrics:
            said[f"{row.index}-metric"] = [index for index, _ in row.metrics]
        forms += [*([row.form] if row.form else []), *(form for _, form in row.metrics)]
    for form in forms:
        for bound in form:
            value = bound.value()
            said[bound.html_name] = "" if value is None else bound.field.prepare_value(value)
    return said


def in_force(project: Project) -> dict[str, Any]:
    newest = ReleasePolicy.objects.filter(project=project).order_by("-number").first()
    assert newest is not None
    return dict(newest.policy)


def test_rows_say_all_that_a_policy_says_and_lose_nothing(as_: As, lin: User, project: Project) -> None:
    policy_set(RELEASE_POLICY, project=project, policy=policy_given(RELEASE_POLICY, WHOLE), by=lin, at=NOON)
    client = as_(lin)
    page = client.get(address("policy", project))
    assert "failureCondition: result &gt; 0.2" in page.text, "what has no field is shown, and kept"
    assert client.post(address("policy_set", project), fields(page)).status_code == 302
    assert in_force(project) == WHOLE


def test_rows_are_added_moved_and_left_out_and_nothing_is_set_meanwhile(as_: As, lin: User, project: Project) -> None:
    client, where = as_(lin), address("policy_set", project)

    def kinds(page: HttpResponse) -> list[str]:
        return [row.kind for row in page.context["rows"]]

    page = client.get(address("policy", project))
    assert kinds(page) == ["setWeight"]
    for kind in ("setWeight", "analysis", "pause", "setMirrorRoute"):
        page = client.post(where, {**fields(page), "add": "1", "add_kind": kind})
    assert kinds(page) == ["setWeight", "analysis", "pause", "setMirrorRoute", "setWeight"], "100 % stays the last"
    rows = page.context["rows"]
    page = client.post(where, {**fields(page), "up": rows[3].index})
    page = client.post(where, {**fields(page), "remove": rows[2].index})
    page = client.post(where, {**fields(page), "down": rows[0].index})
    assert kinds(page) == ["analysis", "setWeight", "setMirrorRoute", "setWeight"]
    page = client.post(where, {**fields(page), "up": rows[0].index, "add_kind": "setWeight"})
    page = client.post(where, {**fields(page), "add_metric": rows[1].index})
    second = page.context["rows"][1].metrics[1][0]
    page = client.post(where, {**fields(page), f"{second}-name": "class-mix", f"{second}-interval": "90s"})
    assert page.status_code == 302
    analysis = in_force(project)["steps"][1]["analysis"]["metrics"]
    assert [(metric["name"], metric["interval"]) for metric in analysis] == [
        ("error-rate", "5m"),
        ("class-mix", "1m30s"),
    ]
    assert ReleasePolicy.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"weight": "130"}, "it is at most 100"),
        ({"weight": "nan"}, "Enter a number"),
        ({"weight": ""}, "This field is required"),
        ({"interval": "soon"}, "is no length of time"),
        ({"count": "9999"}, "it is at most 200"),
        ({"count": "-1"}, "it is at least 0"),
        ({"rest": "[1]"}, "cannot be read"),
        ({"rest": '{"alfa": 1}'}, "alfa"),
        ({"name": "guesswork"}, "guesswork"),
        ({"false_aborts": "-1"}, "it is more than 0"),
        ({"false_aborts": "inf"}, "Enter a number"),
        ({"rollback_window": "51"}, "it is at most 50"),
        ({"while_one": "perhaps"}, "perhaps"),
    ],
)
def test_what_cannot_be_used_stays_in_the_rows_with_a_sentence(
    as_: As, lin: User, project: Project, change: dict[str, str], sentence: str
) -> None:
    policy_set(RELEASE_POLICY, project=project, policy=policy_given(RELEASE_POLICY, WHOLE), by=lin, at=NOON)
    client = as_(lin)
    said = fields(client.get(address("policy", project)))
    ((name, value),) = change.items()
    at = next(key for key in said if key == name or key.endswith(f"-{name}"))
    refused = client.post(address("policy_set", project), {**said, at: value})
    assert refused.status_code == 422 and sentence in refused.text
    assert len(refused.context["rows"]) == 6 and ReleasePolicy.objects.count() == 1


def test_the_fault_stands_at_the_step_it_is_about(as_: As, lin: User, project: Project) -> None:
    policy_set(RELEASE_POLICY, project=project, policy=policy_given(RELEASE_POLICY, WHOLE), by=lin, at=NOON)
    client = as_(lin)
    page = client.get(address("policy", project))
    at = page.context["rows"][3].index
    refused = client.post(address("policy_set", project), {**fields(page), f"{at}-duration": "91d"})
    assert refused.status_code == 422
    assert [bool(row.fault) for row in refused.context["rows"]] == [False, False, False, True, False, False]
    nothing = client.post(address("policy_set", project), {k: v for k, v in fields(page).items() if k != "step"})
    assert nothing.status_code == 422 and "steps" in nothing.text


def test_a_policy_is_set_as_yaml_and_what_cannot_be_used_stays(as_: As, lin: User, project: Project) -> None:
    client, where = as_(lin), address("policy_yaml_set", project)
    refused = client.post(where, {"policy": "steps: [{setWeight: 10}] # mine"})
    assert refused.status_code == 422 and "the last setWeight is 100" in refused.text and "# mine" in refused.text
    assert not ReleasePolicy.objects.exists()
    taken = client.post(where, {"policy": "steps: [{setWeight: 10}, {pause: {duration: 1h}}, {setWeight: 100}]"})
    assert taken.status_code == 302
    page = client.get(address("policy", project))
    assert "Waits 1h" in page.text and "Policy 1" in page.text


@pytest.mark.parametrize("preset", ["at-once", "canary", "shadow-first"])
def test_every_preset_can_be_set_as_it_is_shown(as_: As, lin: User, project: Project, preset: str) -> None:
    client = as_(lin)
    page = client.get(address("policy", project), {"preset": preset})
    written = page.context["yaml_form"].initial["policy"]
    assert client.post(address("policy_yaml_set", project), {"policy": written}).status_code == 302
    by_yaml = in_force(project)
    assert client.post(address("policy_set", project), fields(page)).status_code == 302
    assert policy_given(RELEASE_POLICY, in_force(project)) == policy_given(RELEASE_POLICY, by_yaml)
