"""Releases that need a second person: asked for, approved by another, declined with a reason, overtaken; a roll-back is not."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.audit.models import Event
from apps.errors import Invalid
from apps.evaluation.models import Outcome
from apps.loop.selectors import cards
from apps.projects.access import permissions_of
from apps.projects.models import Project
from apps.projects.policies.services import policy_given, policy_set
from apps.releases.models import ReleaseRequest, RequestState, Rollout
from apps.releases.registry.approving import RequestDecided, RequestWaits, release_ask, request_approve, request_decline
from apps.releases.registry.requests import REQUEST_LASTS, SecondPersonNeeded, request_waiting, requests_expire
from apps.releases.registry.rules import release_rules_set
from apps.releases.rollouts.policies import RELEASE_POLICY
from apps.releases.rollouts.services import release_start, rollout_promote
from apps.releases.selectors import champion_of
from apps.releases.services import AlreadyChampion, GateClosed, model_promote, model_roll_back
from tests.api import api_of, at
from tests.conftest import NOON
from tests.labeling.conftest import at_once
from tests.rows import labeled, model

As = Callable[[User], Client]
LATER = NOON + timedelta(minutes=1)
CANARY = {"steps": [{"setWeight": 10}, {"pause": {}}, {"setWeight": 100}]}


@pytest.fixture
def guarded(project: Project, lin: User, mona: User) -> Project:
    """v1 serves, v2 waits to be released, and a release needs a second person."""
    labeled(project)
    first = model(project)
    model_promote(version=first, reason="", by=lin, at=NOON)
    model(project, base=first.run)
    release_rules_set(project=project, approval="second-person", alias_roles={}, by=mona, at=NOON)
    return project


def asked(project: Project, by: User, number: int = 2, *, at: object = LATER) -> ReleaseRequest:
    made = release_ask(version=project.model_versions.get(number=number), reason="", by=by, at=at)  # type: ignore[arg-type]
    assert isinstance(made, ReleaseRequest)
    return made


def champion(project: Project) -> int:
    found = champion_of(project)
    assert found is not None
    return found.number


def test_a_release_waits_until_somebody_else_approves_it(guarded: Project, lin: User, mona: User) -> None:
    request = asked(guarded, lin)
    assert (champion(guarded), Rollout.objects.filter(ended_at=None).count()) == (1, 0)
    with pytest.raises(SecondPersonNeeded, match="somebody else"):
        request_approve(request=request, answer="", by=lin, at=LATER)
    assert champion(guarded) == 1
    rollout = request_approve(request=request, answer="Fine by me.", by=mona, at=LATER)
    request.refresh_from_db()
    assert (champion(guarded), request.state, request.decided_by, request.rollout) == (2, "approved", mona, rollout)
    assert rollout.by == lin
    told = Event.objects.filter(verb__startswith="release.").order_by("sequence")
    assert [event.sentence for event in told] == ["Lin asked to release v2.", "Mona approved the release of v2."]
    assert told[1].after == {"version": 2, "state": "approved", "words": "Fine by me."}


def test_no_other_way_leads_around_the_second_person(guarded: Project, lin: User, alma: User) -> None:
    version = guarded.model_versions.get(number=2)
    for by in (lin, alma):
        with pytest.raises(SecondPersonNeeded):
            model_promote(version=version, reason="", by=by, at=LATER)
        with pytest.raises(SecondPersonNeeded):
            release_start(version=version, reason="", by=by, at=LATER)
        refused = api_of(by).post(f"/api/v1/models/{version.pk}/promote/", {}, format="json")
        assert (refused.status_code, refused.json()["code"]) == (409, "second_person_needed")
    assert champion(guarded) == 1


def test_the_first_model_needs_a_second_person_too(project: Project, lin: User, mona: User) -> None:
    labeled(project)
    model(project)
    release_rules_set(project=project, approval="second-person", alias_roles={}, by=mona, at=NOON)
    request_approve(request=asked(project, lin, 1), answer="", by=mona, at=LATER)
    assert champion(project) == 1


def test_it_is_declined_with_a_reason_or_withdrawn_without_one(guarded: Project, lin: User, mona: User) -> None:
    request = asked(guarded, lin)
    with pytest.raises(Invalid, match="Say why"):
        request_decline(request=request, answer="  ", by=mona, at=LATER)
    request_decline(request=request, answer="The holdout is too small.", by=mona, at=LATER)
    again = asked(guarded, lin)
    assert request_decline(request=again, answer="", by=lin, at=LATER).state == RequestState.WITHDRAWN
    assert [r.state for r in ReleaseRequest.objects.all()] == ["withdrawn", "declined"]
    with pytest.raises(RequestDecided, match="Mona declined the release of v2 already"):
        request_approve(request=request, answer="", by=mona, at=LATER)
    assert champion(guarded) == 1


def test_what_may_not_be_released_is_not_asked_for(guarded: Project, lin: User, mona: User) -> None:
    failed, doubted = model(guarded, Outcome.FAIL), model(guarded, Outcome.INCONCLUSIVE)
    with pytest.raises(GateClosed):
        release_ask(version=failed, reason="", by=lin, at=LATER)
    with pytest.raises(Invalid, match="inconclusive"):
        release_ask(version=doubted, reason="", by=lin, at=LATER)
    with pytest.raises(AlreadyChampion):
        asked(guarded, lin, 1)
    asked(guarded, lin)
    with pytest.raises(RequestWaits):
        asked(guarded, mona)
    assert ReleaseRequest.objects.count() == 1


def test_another_request_takes_the_place_of_the_one_that_waits(guarded: Project, lin: User, mona: User) -> None:
    request = asked(guarded, lin)
    model(guarded)
    newer = asked(guarded, mona, 3)
    request.refresh_from_db()
    assert (request.state, request_waiting(guarded, LATER)) == ("superseded", newer)
    with pytest.raises(RequestDecided, match="overtaken"):
        request_approve(request=request, answer="", by=mona, at=LATER)


def test_a_roll_back_waits_for_nobody_and_ends_what_waits(guarded: Project, lin: User, mona: User, alma: User) -> None:
    request_approve(request=asked(guarded, lin), answer="", by=mona, at=LATER)
    model(guarded)
    request = asked(guarded, lin, 3)
    model_roll_back(project=guarded, reason="It answers slowly.", expected_champion=2, by=lin, at=LATER)
    request.refresh_from_db()
    assert (champion(guarded), request.state) == (1, "superseded")


def test_a_version_that_served_lately_is_gone_back_to_at_once(guarded: Project, lin: User, mona: User) -> None:
    request_approve(request=asked(guarded, lin), answer="", by=mona, at=LATER)
    first = guarded.model_versions.get(number=1)
    assert isinstance(release_ask(version=first, reason="", by=lin, at=LATER), Rollout)
    assert champion(guarded) == 1


def test_a_request_ends_after_a_week(guarded: Project, lin: User, mona: User) -> None:
    request = asked(guarded, lin)
    late = LATER + REQUEST_LASTS
    assert requests_expire(at=late - timedelta(seconds=1)) == 0
    assert request_waiting(guarded, late) is None
    with pytest.raises(RequestDecided, match="older than 7 days"):
        request_approve(request=request, answer="", by=mona, at=late)
    assert (requests_expire(at=late), requests_expire(at=late)) == (1, 0)
    request.refresh_from_db()
    assert (request.state, champion(guarded)) == ("expired", 1)
    assert asked(guarded, lin, at=late).state == "waiting"


def test_whoever_asked_does_not_skip_the_steps_that_were_approved(
    guarded: Project, lin: User, mona: User, alma: User
) -> None:
    policy_set(RELEASE_POLICY, project=guarded, policy=policy_given(RELEASE_POLICY, CANARY), by=lin, at=NOON)
    rollout = request_approve(request=asked(guarded, lin), answer="", by=mona, at=LATER)
    assert rollout.is_open
    reason = "It served the whole week beside the champion."
    with pytest.raises(SecondPersonNeeded):
        rollout_promote(rollout=rollout, reason=reason, by=lin, at=LATER)
    rollout_promote(rollout=rollout, reason=reason, by=alma, at=LATER)
    assert champion(guarded) == 2


@pytest.mark.django_db(transaction=True)
def test_of_two_who_approve_at_one_moment_one_wins_and_the_other_reads_who(
    guarded: Project, lin: User, mona: User, alma: User
) -> None:
    request = asked(guarded, lin)

    def approves(by: User) -> Callable[[], object]:
        return lambda: request_approve(request=request, answer="", by=by, at=LATER)

    (refused,) = at_once(approves(mona), approves(alma))
    request.refresh_from_db()
    assert isinstance(refused, RequestDecided)
    assert refused.message == f"{request.decided_by} approved the release of v2 already; nothing was done twice."
    assert Rollout.objects.filter(version=request.version).count() == 1


@pytest.mark.django_db(transaction=True)
def test_one_who_approves_while_another_declines_decides_once(
    guarded: Project, lin: User, mona: User, alma: User
) -> None:
    request = asked(guarded, lin)
    (refused,) = at_once(
        lambda: request_approve(request=request, answer="", by=mona, at=LATER),
        lambda: request_decline(request=request, answer="Not on a Friday.", by=alma, at=LATER),
    )
    request.refresh_from_db()
    assert isinstance(refused, RequestDecided)
    assert champion(guarded) == (2 if request.state == "approved" else 1)


def test_turned_off_a_release_starts_at_once_again(guarded: Project, lin: User, mona: User) -> None:
    request = asked(guarded, lin)
    release_rules_set(project=guarded, approval="none", alias_roles={}, by=mona, at=LATER)
    assert isinstance(release_ask(version=request.version, reason="", by=lin, at=LATER), Rollout)
    request.refresh_from_db()
    assert (request.state, champion(guarded)) == ("superseded", 2)


def test_the_pages_ask_show_approve_and_decline(as_: As, guarded: Project, lin: User, mona: User, ada: User) -> None:
    models = reverse("releases:models", args=[guarded.pk])
    version = guarded.model_versions.get(number=2)
    page = as_(lin).get(models).text
    assert "Ask for the release of v2" in page
    assert as_(lin).post(reverse("releases:promote", args=[guarded.pk, version.pk])).status_code == 302
    (request,) = ReleaseRequest.objects.all()
    own, others = as_(lin).get(models).text, as_(mona).get(models).text
    assert "v2 waits for a second person" in own and "Withdraw it" in own and "Approve and release v2" not in own
    assert "Approve and release v2" in others and "Lin asked to release it" in others
    at_work = [guarded.pk, request.pk]
    assert as_(mona).post(reverse("releases:request_decline", args=at_work)).status_code == 422
    assert as_(ada).post(reverse("releases:request_approve", args=at_work)).status_code == 403
    assert as_(lin).post(reverse("releases:request_approve", args=at_work)).status_code == 409
    assert as_(mona).post(reverse("releases:request_approve", args=at_work), {"reason": "Go."}).status_code == 302
    assert champion(guarded) == 2 and "waits for a second person" not in as_(mona).get(models).text


def test_the_overview_tells_who_may_decide(guarded: Project, lin: User, mona: User) -> None:
    asked(guarded, lin)
    card = {c.stage: c for c in cards(guarded, LATER, permissions_of(mona, guarded.pk))}["deploy"]
    assert card.state and card.state.words == "v2 waits for a second person"
    assert card.action and card.action.words == "Decide on v2" and card.action.helps
    assert (card.number, card.unit) == (1, "to approve")


def test_the_api_asks_lists_approves_and_declines(guarded: Project, lin: User, mona: User, mallory: User) -> None:
    version = guarded.model_versions.get(number=2)
    made = api_of(lin).post(f"/api/v1/models/{version.pk}/release/", {"reason": "Faster."}, format="json")
    assert (made.status_code, made.json()["state"], made.json()["by"]) == (202, "waiting", "lin")
    one = f"/api/v1/release-requests/{made.json()['id']}"
    assert api_of(lin).post(f"{one}/approve/", {}, format="json").json()["code"] == "second_person_needed"
    assert api_of(mallory).post(f"{one}/approve/", {}, format="json").status_code == 404
    assert api_of(mona).post(f"{one}/decline/", {}, format="json").status_code == 422
    assert api_of(mona).post(f"{one}/approve/", {"reason": "x" * 401}, format="json").status_code in (400, 422)
    done = api_of(mona).post(f"{one}/approve/", {"reason": "Go."}, format="json")
    assert (done.status_code, done.json()["version"]) == (201, 2)
    assert api_of(mona).post(f"{one}/approve/", {}, format="json").json()["code"] == "request_decided"
    (listed,) = api_of(mona).get(at(guarded, "release-requests/")).json()["results"]
    assert (listed["state"], listed["answer"], listed["decided_by"]) == ("approved", "Go.", "mona")
    assert listed["rollout_id"] == done.json()["id"]


def test_a_manager_sets_the_rules_on_the_page_and_over_the_api(
    as_: As, project: Project, lin: User, mona: User
) -> None:
    address, sent = (
        at(project, "release-rules/"),
        {"approval": "second-person", "alias_roles": {"staging": ["manager"]}},
    )
    assert api_of(lin).get(address).json() == {"approval": "none", "alias_roles": {}}
    assert api_of(lin).put(address, sent, format="json").status_code == 403
    assert api_of(mona).put(address, sent, format="json").json() == sent
    for wrong in ({}, {"approval": "three", "alias_roles": {}}, {"approval": "none", "alias_roles": {"v1": []}}):
        assert api_of(mona).put(address, wrong, format="json").status_code in (400, 422), wrong
    page, rules = (
        as_(mona).get(reverse("releases:policy", args=[project.pk])),
        reverse("releases:rules_set", args=[project.pk]),
    )
    assert page.context["rules_form"].initial["alias_roles"] == "staging: manager"
    for lines in ("staging manager", "staging: manager\nstaging: engineer", "v1: manager", "staging: annotator"):
        refused = as_(mona).post(rules, {"approval": "none", "alias_roles": lines})
        assert refused.status_code == 422 and refused.context["rules_form"].errors, lines
    assert as_(mona).post(rules, {"approval": "none", "alias_roles": "eu: Manager, engineer"}).status_code == 302
    assert api_of(lin).get(address).json() == {"approval": "none", "alias_roles": {"eu": ["engineer", "manager"]}}
    assert Event.objects.filter(verb="release_rules.set").count() == 2
    assert as_(lin).post(rules, {"approval": "second-person"}).status_code == 403
