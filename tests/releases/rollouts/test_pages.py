"""The pages of rollouts: what they show, who may do what, and the policy in a form."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.projects.models import Project
from apps.releases.models import Rollout, RolloutPhase
from apps.releases.rollouts.moving import rollout_advance
from apps.releases.services import rollout_stop
from apps.rules.sentences import sentence
from tests.conftest import NOON
from tests.releases.rollouts.test_services import WHY, ready, released  # noqa: F401
from tests.releases.rollouts.traffic import asked

As = Callable[[User], Client]


@pytest.fixture
def rollout(ready: Project, lin: User) -> Rollout:  # noqa: F811
    found = released(ready, lin)
    asked(found, 2_000, NOON + timedelta(seconds=50))
    return rollout_advance(rollout_id=found.pk, at=NOON + timedelta(minutes=1))


def at(name: str, rollout: Rollout) -> str:
    return reverse(f"releases:{name}", args=[rollout.project_id, rollout.pk])


def test_the_page_says_who_meets_it_what_was_seen_and_what_comes(as_: As, lin: User, rollout: Rollout) -> None:
    page = as_(lin).get(at("rollout", rollout))
    assert page.status_code == 200
    for words in ("Rollout of v2", "20 % of who asks meet it", "no harm so far", "1 of 3", "Waits for a person"):
        assert words in page.text
    assert "Abort the rollout" in page.text and "Promote now" in page.text


def test_who_only_looks_sees_no_buttons(as_: As, mona: User, rollout: Rollout) -> None:
    page = as_(mona).get(at("rollout", rollout))
    assert page.status_code == 200 and "Abort the rollout" not in page.text


def test_each_metric_has_a_chart_with_its_boundary(as_: As, lin: User, rollout: Rollout) -> None:
    figures = as_(lin).get(at("rollout_figures", rollout)).json()
    assert set(figures) == {"s1-error-rate", "s1-class-mix"}
    seen, boundary = figures["s1-error-rate"]["data"]
    assert len(seen["y"]) == len(boundary["y"]) == 1 and seen["y"][0] < boundary["y"][0]


def test_the_models_page_leads_to_what_is_under_way(as_: As, lin: User, rollout: Rollout) -> None:
    page = as_(lin).get(reverse("releases:models", args=[rollout.project_id]))
    assert "v2 is on its way to users" in page.text and at("rollout", rollout) in page.text


def test_the_buttons_pause_go_on_promote_and_abort(as_: As, lin: User, rollout: Rollout) -> None:
    client = as_(lin)
    for act, cause in (("pause", "person"), ("resume", "step")):  # by today's clock all looks of that noon are due
        assert client.post(at(f"rollout_{act}", rollout)).status_code == 302
        rollout.refresh_from_db()
        assert rollout.pause == cause
    assert client.post(at("rollout_promote", rollout), {"reason": "soon"}).status_code == 422
    assert client.post(at("rollout_promote", rollout), {"reason": WHY}).status_code == 302
    rollout.refresh_from_db()
    assert rollout.phase == RolloutPhase.HEALTHY
    assert client.post(at("rollout_abort", rollout)).status_code == 409


def test_the_one_click_starts_the_policy(as_: As, lin: User, ready: Project) -> None:  # noqa: F811
    version = ready.model_versions.get(number=2)
    page = as_(lin).get(reverse("releases:models", args=[ready.pk]))
    assert "Release v2" in page.text and "step by step" in page.text
    answer = as_(lin).post(reverse("releases:promote", args=[ready.pk, version.pk]))
    rollout = Rollout.objects.get(version=version)
    assert rollout.is_open and answer["Location"] == at("rollout", rollout)


def test_why_a_rollout_ended_is_said_in_the_readers_language(as_: As, lin: User, ready: Project) -> None:  # noqa: F811
    rollout = released(ready, lin)
    rollout_stop(rollout=rollout, message=sentence("v{number} took its place.", number=3), by=lin, at=NOON)
    page = as_(lin).get(at("rollout", rollout), headers={"Accept-Language": "es"})
    assert "v3 ocupó su lugar." in page.text and "took its place" not in page.text
    rollout.refresh_from_db()
    assert rollout.message == "v3 took its place.", "the record stays English"


def test_in_the_archive_the_brake_is_the_one_button(as_: As, lin: User, rollout: Rollout) -> None:
    rollout.project.archived_at = NOON
    rollout.project.save()
    page = as_(lin).get(at("rollout", rollout)).text
    assert "Abort the rollout" in page and "Promote now" not in page and ">Pause<" not in page
    assert as_(lin).post(at("rollout_abort", rollout)).status_code == 302


def test_the_look_that_decided_is_always_on_the_chart(as_: As, lin: User, ready: Project) -> None:  # noqa: F811
    found = released(ready, lin)
    asked(found, 4_000, NOON + timedelta(seconds=50), failing=0.6)
    found = rollout_advance(rollout_id=found.pk, at=NOON + timedelta(minutes=1))
    assert found.phase == RolloutPhase.DEGRADED
    chart = as_(lin).get(at("rollout_figures", found)).json()["s1-error-rate"]
    seen, boundary = chart["data"]
    assert seen["y"][0] > 6, "far beyond the boundary"
    low, high = chart["layout"]["yaxis"]["range"]
    assert low < seen["y"][0] < high and "markers" in boundary["mode"]
