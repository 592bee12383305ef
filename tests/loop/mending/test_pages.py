"""The alarm's page and the policy's page: what follows, one click each, for whom; and the same over the API."""

from collections.abc import Callable
from datetime import datetime

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.datasets.models import Example
from apps.loop.mending.policies import ALARM_POLICY
from apps.loop.models import AlarmPolicyVersion, RunShift
from apps.loop.selectors import overview
from apps.monitoring.models import Alert
from apps.projects.access import permissions_of
from apps.projects.models import Project
from apps.projects.policies.selectors import policy_in_force
from apps.releases.models import ModelVersion
from apps.releases.selectors import champion_of
from apps.training.models import Run
from tests.api import api_of, at, post
from tests.loop.mending.conftest import answered, mend, step

As = Callable[[User], Client]
Served, Raise, Does = Callable[..., ModelVersion], Callable[..., Alert], Callable[..., None]


@pytest.fixture
def proposed(served: Served, asked: Does, alarm: Raise, now: datetime) -> Alert:
    """Two models, kept requests, and an alarm of which everything is proposed."""
    served(90), served(2), asked(model=2)
    alert = alarm(model=2)
    mend(now)
    return alert


def test_an_engineer_has_a_button_for_each_link_and_a_manager_for_labels_alone(
    as_: As, project: Project, proposed: Alert, lin: User, mona: User
) -> None:
    address = reverse("mending:alarm", args=[project.pk, proposed.pk])
    shown = as_(lin).get(address).text
    assert "go back to v1." in shown and "Take it back" in shown and "Ask for labels" in shown
    shown = as_(mona).get(address).text
    assert "go back to v1." in shown and "Take it back" not in shown and "Ask for labels" in shown


def test_the_banner_of_the_monitor_loads_it_and_leads_to_it(
    as_: As, project: Project, proposed: Alert, lin: User
) -> None:
    address = reverse("mending:alarm", args=[project.pk, proposed.pk])
    banner = as_(lin).get(reverse("monitoring:alerts", args=[project.pk])).text
    assert f'hx-get="{address}"' in banner and f'href="{address}">' in banner
    part = as_(lin).get(address, headers={"HX-Request": "true"}).text
    assert part.lstrip().startswith("<div") and "Take it back" in part and "<html" not in part


def test_a_click_acts_and_a_second_one_is_told(as_: As, project: Project, proposed: Alert, lin: User) -> None:
    address = reverse("mending:roll_back", args=[project.pk, proposed.pk])
    assert as_(lin).post(address).status_code == 302
    champion = champion_of(project)
    assert champion is not None and champion.number == 1
    again = as_(lin).post(address)
    assert again.status_code == 409 and "done already" in again.text
    page = as_(lin).get(reverse("mending:alarm", args=[project.pk, proposed.pk])).text
    assert "v2 was taken back; v1 serves again." in page and "Take it back" not in page


def test_the_api_does_the_same(project: Project, proposed: Alert, lin: User, mona: User) -> None:
    found = api_of(mona).get(at(project, f"alerts/{proposed.pk}/follow-up/")).json()
    assert [(s["link"], s["state"]) for s in found["steps"]] == [("rollback", "proposed"), ("lane", "proposed")]
    assert (found["model"], found["examples"], found["run"]) == (2, 0, None)
    assert post(mona, at(project, f"alerts/{proposed.pk}/roll-back/")).status_code == 403
    asked = post(mona, at(project, f"alerts/{proposed.pk}/label/")).json()
    assert asked["examples"] == 90 and step(proposed, "lane")[0] == "done"
    early = post(lin, at(project, f"alerts/{proposed.pk}/train/"))
    assert early.status_code == 409 and "No label of the lane is in yet" in early.text
    assert post(lin, at(project, "alerts/999999/roll-back/")).status_code == 404
    assert api_of(lin).get(at(project, "alerts/999999/follow-up/")).status_code == 404


def test_the_form_sets_the_policy_and_says_what_is_wrong(as_: As, project: Project, mona: User) -> None:
    address = reverse("mending:policy", args=[project.pk])
    assert "everything is proposed" in as_(mona).get(address).text
    form = {
        "severity": "warns",
        "rollback": "auto",
        "window": "6h",
        "lane": "off",
        "examples": 90,
        "retrain": "propose",
        "labels": 60,
        "kind": "full",
        "over": 0,
    }
    refused = as_(mona).post(f"{address}set/", {**form, "labels": 91})
    assert refused.status_code == 422 and "waits for 91 labels" in refused.text
    assert as_(mona).post(f"{address}set/", {**form, "rollback": "maybe"}).status_code == 422
    assert not AlarmPolicyVersion.objects.exists()
    assert as_(mona).post(f"{address}set/", form).status_code == 302
    policy = policy_in_force(ALARM_POLICY, project)
    assert (policy.rollback.mode, policy.lane.mode, policy.retrain.kind, policy.severity) == (
        "auto",
        "off",
        "full",
        "warns",
    )
    assert as_(mona).get(address).context["form"]["window"].value() == "6h"
    assert as_(mona).post(f"{address}set/", form).status_code == 409, "set over an earlier one"


def test_the_overview_offers_what_the_alarm_proposes_as_one_click_to_whoever_may(
    as_: As, project: Project, proposed: Alert, lin: User, mona: User, now: datetime
) -> None:
    def button(user: User) -> tuple[str, str]:
        cards = {c.stage: c for c in overview(project, now, permissions_of(user, project.pk)).cards}
        action = cards["monitor"].action
        assert action is not None and action.subject_id == proposed.pk
        return action.words, action.url_name if action.post else ""

    assert button(lin) == ("Take the release back", "mending:roll_back")
    assert button(mona) == ("Ask for its labels", "mending:lane"), "a manager may not take it back"
    page = as_(mona).get(reverse("loop:overview", args=[project.pk])).text
    act = reverse("mending:lane", args=[project.pk, proposed.pk])
    assert f'action="{act}"' in page and f'href="{reverse("mending:alarm", args=[project.pk, proposed.pk])}"' in page
    assert as_(mona).post(act).status_code == 302 and step(proposed, "lane")[0] == "done"
    assert button(mona) == ("See the alarm", ""), "what is done, or is nothing to do, is no to-do"
    Alert.objects.update(resolved_at=now)
    cards = {c.stage: c for c in overview(project, now, permissions_of(lin, project.pk)).cards}
    assert cards["monitor"].action is not None and cards["monitor"].action.url_name == "loop:drift_check"


def test_the_alarm_leads_to_its_labels_its_run_and_its_report(
    as_: As, project: Project, proposed: Alert, lin: User, now: datetime, does: Does
) -> None:
    does(lane={"mode": "auto", "examples": 60}, retrain={"mode": "propose", "labels": 40})
    mend(now)
    other = Example.objects.filter(project=project, drift=None).count()
    address = f"{reverse('datasets:data', args=[project.pk])}?alarm={proposed.pk}"
    alarm = reverse("mending:alarm", args=[project.pk, proposed.pk])
    assert f'href="{address}"' in as_(lin).get(alarm).text and "0 of 60 labeled" in as_(lin).get(alarm).text
    found = as_(lin).get(address)
    assert "60 found" in found.text and f"Of alarm {proposed.pk}" in found.text and other
    assert "Of alarm" not in as_(lin).get(f"{reverse('datasets:data', args=[project.pk])}?alarm=x").text
    answered(project, proposed, 60, at=now)
    assert as_(lin).post(reverse("mending:retrain", args=[project.pk, proposed.pk])).status_code == 302
    run = Run.objects.get(trigger_type="drift")
    page = as_(lin).get(alarm).text
    assert f'href="{reverse("lineage:run", args=[project.pk, run.pk])}"' in page and "60 of 60 labeled" in page


def test_the_alarm_says_which_kind_of_shift_it_is_and_the_policy_can_say_another(
    as_: As, project: Project, proposed: Alert, lin: User, now: datetime, does: Does
) -> None:
    does(lane={"mode": "auto", "examples": 60}, retrain={"mode": "propose", "labels": 40})
    mend(now), mend(now)
    alarm = reverse("mending:alarm", args=[project.pk, proposed.pk])
    assert "Covariate shift, because what comes in moved." in as_(lin).get(alarm).text
    found = api_of(lin).get(at(project, f"alerts/{proposed.pk}/follow-up/")).json()
    assert (found["shift"], found["shift_words"]) == ("covariate", "Covariate shift, because what comes in moved.")
    does(retrain={"mode": "propose", "labels": 40, "shift": "label"})
    assert "Label shift, as the alarm policy says." in as_(lin).get(alarm).text
    answered(project, proposed, 60, at=now)
    post(lin, at(project, f"alerts/{proposed.pk}/train/"))
    assert RunShift.objects.get().kind == "label"
