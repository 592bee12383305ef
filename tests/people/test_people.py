"""Invitations, links to new passwords, the page of people, and what ends when access ends."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from knox.models import AuthToken

from apps.accounts.models import User
from apps.audit.models import Event
from apps.people import links, services, tokens
from apps.people.models import OneTimeLink

LINK = re.compile(r"/sign-in/link/[\w-]+/")
GOOD = "a longer sentence"


def link_on(page):
    return LINK.search(page.content.decode())[0]


def invite(as_, keeper, **more):
    return link_on(as_(keeper).post("/people/", {"username": "", "display_name": "", "project": "", "role": ""} | more))


def join(address, username="nina", password=GOOD, **more):
    browser = Client()
    given = {"username": username, "display_name": "Nina", "password": password, "again": password}
    return browser, browser.post(address, given | more)


def test_an_invited_person_makes_an_account_and_is_in_the_project(as_, keeper, project):
    address = invite(as_, keeper, display_name="Nina", project=project.pk, role="annotator")
    page = Client().get(address).content.decode()
    assert "Kim invites you to this console and to its project Project 1." in page and 'value="Nina"' in page

    browser, answer = join(address)
    assert answer["Location"] == reverse("portfolio:projects")
    assert browser.get(reverse("labeling:desk", args=[project.pk])).status_code == 200
    nina = User.objects.get(username="nina")
    assert nina.check_password(GOOD) and not nina.is_superuser and not nina.may_create_projects
    assert join(address, "again")[1].status_code == 404, "once"
    assert Event.objects.filter(verb="person.joined", sentence="Nina joined by a link of Kim.").exists()


@pytest.mark.parametrize(
    "given, said",
    [
        ({"password": "short", "again": "short"}, "too short"),
        ({"again": "another sentence"}, "not the same"),
        ({"username": "ADA"}, "Somebody signs in as"),
        ({"username": "a b"}, "valid username"),
        ({"username": "ad\u200ba"}, "Somebody signs in as"),
        ({"password": "password12", "again": "password12"}, "too common"),
    ],
)
def test_what_cannot_be_an_account_is_said_and_the_link_still_works(as_, keeper, ada, given, said):
    address = invite(as_, keeper)
    answer = join(address, **given)[1]
    assert answer.status_code == 422 and said in answer.content.decode()
    assert join(address)[1].status_code == 302


def test_a_link_ends_and_can_be_withdrawn(as_, keeper):
    ended, withdrawn = invite(as_, keeper), invite(as_, keeper)
    newest, oldest = OneTimeLink.objects.all()
    as_(keeper).post(reverse("people:link_withdraw", args=[newest.pk]))
    OneTimeLink.objects.filter(pk=oldest.pk).update(ends_at=timezone.now())
    for address in (ended, withdrawn, "/sign-in/link/made-up/"):
        assert Client().get(address).status_code == 404
        assert join(address)[1].status_code == 404
    assert not User.objects.filter(username="nina").exists()


def test_links_are_kept_as_digests_only(as_, keeper):
    words = invite(as_, keeper).split("/")[-2]
    assert words not in str(OneTimeLink.objects.values().get())


def test_a_new_password_by_a_link_ends_sessions_and_tokens(as_, keeper, ada):
    browser = as_(ada)
    tokens.token_create(user=ada, name="nightly", scope="write", lasts=None, at=timezone.now())
    address = link_on(as_(keeper).post(reverse("people:reset", args=[ada.pk])))
    second = link_on(as_(keeper).post(reverse("people:reset", args=[ada.pk])))
    assert Client().get(address).status_code == 404, "a newer link ends the earlier one"

    fresh = Client()
    given = {"password": GOOD, "again": GOOD, "end_tokens": "on"}
    assert fresh.post(second, given).status_code == 302
    ada.refresh_from_db()
    assert ada.check_password(GOOD)
    assert browser.get("/account/").status_code == 302 and fresh.get("/account/").status_code == 200
    assert not AuthToken.objects.exists()


@pytest.mark.parametrize("end_tokens, left", [({}, 1), ({"end_tokens": "on"}, 0)])
def test_changing_ones_password_ends_other_sessions_and_tokens_where_asked(as_, ada, end_tokens, left):
    here, elsewhere = as_(ada), as_(ada)
    tokens.token_create(user=ada, name="nightly", scope="write", lasts=None, at=timezone.now())
    given = {"old": "correct horse", "password": GOOD, "again": GOOD, **end_tokens}
    assert here.post("/account/password/", given).status_code == 302
    assert here.get("/account/").status_code == 200
    assert elsewhere.get("/account/").status_code == 302
    assert AuthToken.objects.count() == left
    assert Event.objects.filter(verb="person.password_changed", actor=ada).count() == 1


@pytest.mark.parametrize(
    "given, said",
    [
        ({"old": "wrong"}, "This is not your password."),
        ({"password": "correct horse", "again": "correct horse"}, "your password already"),
        ({"password": "12345678901", "again": "12345678901"}, "too common"),
    ],
)
def test_a_password_that_cannot_be_changed_stays(as_, ada, given, said):
    whole = {"old": "correct horse", "password": GOOD, "again": GOOD} | given
    page = as_(ada).post("/account/password/", whole)
    assert page.status_code == 422 and said in page.content.decode()
    ada.refresh_from_db()
    assert ada.check_password("correct horse")


def test_switching_an_account_off_ends_everything_and_on_again_lets_in(as_, keeper, ada):
    browser, key = as_(ada), tokens.token_create(user=ada, name="n", scope="write", lasts=None, at=timezone.now())
    address = reverse("people:active_set", args=[ada.pk])
    as_(keeper).post(address)
    assert browser.get("/account/").status_code == 302
    assert Client().get("/api/v1/projects/", headers={"authorization": f"Token {key}"}).status_code == 401
    assert Client().post("/sign-in/", {"username": "ada", "password": "correct horse"}).status_code == 422
    as_(keeper).post(address, {"on": "1"})
    assert browser.get("/account/").status_code == 302, "the old session stays ended"
    assert Client().post("/sign-in/", {"username": "ada", "password": "correct horse"}).status_code == 302


def test_signing_out_everywhere_leaves_the_password_and_asks_about_tokens(as_, keeper, ada):
    browser = as_(ada)
    tokens.token_create(user=ada, name="n", scope="write", lasts=None, at=timezone.now())
    as_(keeper).post(reverse("people:access_end", args=[ada.pk]))
    assert browser.get("/account/").status_code == 302 and AuthToken.objects.count() == 1
    as_(keeper).post(reverse("people:access_end", args=[ada.pk]), {"tokens": "on"})
    assert AuthToken.objects.count() == 0
    assert as_(User.objects.get(pk=ada.pk)).get("/account/").status_code == 200


def test_an_admin_sees_and_ends_a_token_of_somebody_else(as_, keeper, ada, grace):
    tokens.token_create(user=ada, name="nightly upload", scope="read", lasts=None, at=timezone.now())
    key = AuthToken.objects.get().token_key
    page = as_(keeper).get(reverse("people:person", args=[ada.pk])).content.decode()
    assert "nightly upload" in page
    assert as_(grace).post(reverse("people:token_end", args=[ada.pk, key])).status_code == 403
    assert as_(keeper).post(reverse("people:token_end", args=[grace.pk, key])).status_code == 404
    as_(keeper).post(reverse("people:token_end", args=[ada.pk, key]))
    assert not AuthToken.objects.exists()
    assert Event.objects.get(verb="token.revoked").sentence == "Kim revoked the token “nightly upload” of Ada."


def test_the_console_keeps_an_admin_and_nobody_switches_themselves_off(as_, keeper, ada):
    browser = as_(keeper)
    assert browser.post(reverse("people:active_set", args=[keeper.pk])).status_code == 422
    assert browser.post(reverse("people:rights_set", args=[keeper.pk]), {}).status_code == 422
    browser.post(reverse("people:rights_set", args=[ada.pk]), {"is_superuser": "on"})
    as_(User.objects.get(pk=ada.pk)).post(reverse("people:rights_set", args=[keeper.pk]), {})
    keeper.refresh_from_db()
    assert not keeper.is_superuser and User.objects.get(pk=ada.pk).is_superuser


@pytest.mark.parametrize("name", ["alma", "mona", "ada"])
def test_nobody_else_opens_the_page_or_makes_links(as_, project, name):
    browser, before = as_(User.objects.get(username=name)), User.objects.count()
    ada = User.objects.get(username="ada")
    for method, address in (
        ("get", "/people/"),
        ("post", "/people/"),
        ("get", "/people/trail/"),
        ("get", f"/people/{ada.pk}/"),
        ("post", f"/people/{ada.pk}/reset/"),
        ("post", f"/people/{ada.pk}/active/"),
        ("post", f"/people/{ada.pk}/end-access/"),
        ("post", f"/people/{ada.pk}/rights/"),
    ):
        assert getattr(browser, method)(address).status_code == 403, address
    assert User.objects.filter(is_active=True).count() == before and not OneTimeLink.objects.exists()


def test_the_list_shows_who_was_seen_and_finds_by_name(as_, keeper, ada, grace, project):
    User.objects.filter(pk=ada.pk).update(last_seen_at=timezone.now() - timedelta(hours=3))
    page = as_(keeper).get("/people/?text=ad").content.decode()
    assert "3 h" in page and "Annotator" in page and ">grace<" not in page


def test_people_of_one_look_are_shown_with_their_user_names(ada, mona, grace, noon):
    named = services.name_set(user=mona, display_name="Ada\u200b", at=noon)
    ada.refresh_from_db()
    assert (str(named), str(ada), str(grace)) == ("Ada (mona)", "Ada", "Grace")
    services.name_set(user=mona, display_name="ADA", at=noon)
    assert str(User.objects.get(pk=mona.pk)) == "ADA (mona)"
    back = services.name_set(user=mona, display_name="Mona", at=noon)
    assert str(back) == "Mona"
    first = Event.objects.filter(verb="person.name_set").order_by("sequence").first()
    assert first.sentence == "Mona is shown as Ada (mona) from now on."


def test_members_lead_to_the_door_for_new_people(as_, keeper, mona, project):
    address = reverse("projects:members", args=[project.pk])
    assert f"/people/?project={project.pk}#invite" in as_(keeper).get(address).content.decode()
    page = as_(mona).get(address).content.decode()
    assert "New people are invited by Kim." in page and "/people/" not in page


def test_an_invitation_gives_its_role_only_while_its_maker_may(as_, keeper, project, noon):
    address = invite(as_, keeper, project=project.pk, role="admin")
    User.objects.filter(pk=keeper.pk).update(is_superuser=False)
    join(address)
    assert not project.memberships.filter(user__username="nina").exists()


def test_only_admins_make_links_through_the_services_too(ada, grace, noon):
    for make in (
        lambda: links.reset_make(person=grace, by=ada, at=noon),
        lambda: services.active_set(person_id=grace.pk, active=False, by=ada, at=noon),
        lambda: services.access_end(person=grace, end_tokens=False, by=ada, at=noon),
    ):
        with pytest.raises(links.Forbidden):
            make()
