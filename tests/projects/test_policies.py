"""What every versioned policy of a project does, whatever it is about: read, set, listed, and never lost to a slower hand."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from rest_framework.response import Response

from apps.accounts.models import User
from apps.evaluation.gates.policies import GATE_POLICY
from apps.loop.mending.policies import ALARM_POLICY
from apps.monitoring.monitors.policies import MONITOR_POLICY
from apps.notices.policies import NOTICE_POLICY
from apps.projects.models import Project
from apps.projects.policies.kinds import PolicyKind
from apps.projects.policies.models import PolicyVersion
from apps.projects.policies.selectors import policies_of, policy_in_force
from apps.projects.policies.services import PolicyOutdated, policy_given_yaml, policy_set
from apps.releases.rollouts.policies import RELEASE_POLICY
from tests.api import api_of, at
from tests.conftest import NOON
from tests.labeling.conftest import at_once

As = Callable[[User], Client]


@dataclass(frozen=True)
class Known:
    """One of the policies: where it is set, and three texts that it takes."""

    kind: PolicyKind[Any, Any]
    page: str
    yaml: str
    api: str
    texts: tuple[str, str, str]
    rows: bool = True  # whether its form has rows that are added and taken away


KNOWN = [
    Known(
        GATE_POLICY,
        "gates:policy",
        "gates:yaml_set",
        "gate-policy/",
        ("gates: [{type: loads}]", "gates: [{type: loads}, {type: gain}]", "gates: [{type: loads}, {type: log_loss}]"),
    ),
    Known(
        RELEASE_POLICY,
        "releases:policy",
        "releases:policy_yaml_set",
        "release-policy/",
        (
            "steps: [{setWeight: 100}]",
            "steps: [{setWeight: 5}, {setWeight: 100}]",
            "steps: [{pause: {}}, {setWeight: 100}]",
        ),
    ),
    Known(
        ALARM_POLICY,
        "mending:policy",
        "mending:yaml_set",
        "alarm-policy/",
        ("rollback: {mode: auto}", "lane: {mode: auto, examples: 90}", "retrain: {mode: off}"),
        rows=False,
    ),
    Known(
        MONITOR_POLICY,
        "monitors:policy",
        "monitors:yaml_set",
        "monitor-policy/",
        (
            "monitors: [{type: class_mix}]",
            "{budget: 2, monitors: [{type: class_mix}]}",
            "{budget: 3, monitors: [{type: volume}]}",
        ),
    ),
    Known(
        NOTICE_POLICY,
        "notice_policy:policy",
        "notice_policy:yaml_set",
        "notice-policy/",
        ("routes: []", "routes: [{severity: alarm}]", "routes: [{severity: alarm, roles: [manager]}]"),
        rows=False,
    ),
]
each = pytest.mark.parametrize("known", KNOWN, ids=lambda known: known.kind.name)


def put(known: Known, user: User, project: Project, text: str, **more: object) -> Response:
    return api_of(user).put(at(project, known.api), {"yaml": text, **more}, format="json")


def test_each_table_of_policies_is_here() -> None:
    assert {known.kind.table for known in KNOWN} == set(PolicyVersion.__subclasses__())


@each
def test_a_page_that_was_read_before_somebody_else_set_one_replaces_nothing(
    as_: As, lin: User, alma: User, project: Project, known: Known
) -> None:
    first, second, third = known.texts
    put(known, lin, project, first)
    read = as_(lin).get(reverse(known.page, args=[project.pk])).context["over"]
    put(known, alma, project, second)
    late = as_(lin).post(reverse(known.yaml, args=[project.pk]), {"policy": third, "over": read})
    assert late.status_code == 409
    assert "Alma set policy 2 meanwhile." in late.text and third in late.context["yaml_form"]["policy"].value()
    assert policy_in_force(known.kind, project) == policy_given_yaml(known.kind, second)
    again = as_(lin).post(reverse(known.yaml, args=[project.pk]), {"policy": third, "over": late.context["over"]})
    assert again.status_code == 302
    assert policy_in_force(known.kind, project) == policy_given_yaml(known.kind, third)


@each
def test_the_api_refuses_an_edit_of_an_earlier_one_where_it_says_which(
    lin: User, project: Project, known: Known
) -> None:
    first, second, third = known.texts
    assert put(known, lin, project, first, over=0).json()["number"] == 1
    late = put(known, lin, project, second, over=0)
    assert (late.status_code, late.json()["code"]) == (409, "policy_outdated")
    assert policies_of(known.kind, project).count() == 1
    assert put(known, lin, project, second, over=1).json()["number"] == 2
    assert put(known, lin, project, third).json()["number"] == 3, "who does not say which replaces the newest"
    for wrong in (-1, "x", 1.5):
        assert put(known, lin, project, first, over=wrong).status_code in (400, 422), wrong


@pytest.mark.parametrize("known", [known for known in KNOWN if known.rows], ids=lambda known: known.kind.name)
def test_rows_that_are_moved_about_keep_the_version_that_they_began_from(
    as_: As, lin: User, alma: User, project: Project, known: Known
) -> None:
    address = reverse(known.page, args=[project.pk])
    put(known, alma, project, known.texts[0])
    names = {"add_type": "gain", "add_kind": "pause"}
    more = as_(lin).post(f"{address}set/", {"add": "1", **names, "over": "0"})
    assert (more.status_code, more.context["over"]) == (200, 0)
    for nonsense in ("", "x", "-1", "9" * 30, "²"):
        assert as_(lin).post(f"{address}set/", {"add": "1", **names, "over": nonsense}).context["over"] == 1


@each
@pytest.mark.django_db(transaction=True)
def test_of_two_edits_of_one_version_at_one_moment_one_is_set(lin: User, project: Project, known: Known) -> None:
    policies = [policy_given_yaml(known.kind, text) for text in known.texts[:2]]

    def edit(policy: Any) -> Callable[[], object]:
        return lambda: policy_set(known.kind, project=project, policy=policy, by=lin, at=NOON, over=0)

    assert [type(refused) for refused in at_once(*map(edit, policies))] == [PolicyOutdated]
    assert [version.number for version in policies_of(known.kind, project)] == [1]


@pytest.mark.parametrize(
    ("page", "text", "told"),
    [
        ("gates:yaml_set", "gates: [{type: nonsense}]", "ninguna puerta se llama «nonsense»"),
        ("gates:yaml_set", "gates: [{type: loads, blockng: 1}]", "«blockng» no se conoce aquí"),
        ("gates:yaml_set", "gates: [{type: gain, parameters: {allowedLoss: -1}}]", "es 0 como mínimo"),
        ("gates:yaml_set", "gates: {", "El YAML no se puede leer en la línea 1"),
        ("releases:policy_yaml_set", "steps: [{setWeight: 5}]", "el último setWeight es 100"),
        ("releases:policy_yaml_set", "steps: []", "La política no se puede usar"),
        ("monitors:yaml_set", "monitors: [{type: nonsense}]", "ningún monitor se llama «nonsense»"),
        ("monitors:yaml_set", "monitors: [{type: volume, window: 5m}]", "una ventana dura de"),
        ("mending:yaml_set", "retrain: {labels: 121}", "la ejecución espera 121 etiquetas y el carril pide 120"),
    ],
)
def test_what_is_wrong_is_said_in_the_readers_language(
    as_: As, project: Project, alma: User, page: str, text: str, told: str
) -> None:
    alma.is_superuser = True
    alma.save()
    browser = as_(alma)
    browser.cookies["django_language"] = "es"
    answer = browser.post(reverse(page, args=[project.pk]), {"policy": text})
    assert answer.status_code == 422 and told in answer.content.decode()
