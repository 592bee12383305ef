"""Signing in and out, the person's own page, API tokens."""

import pytest
from django.urls import reverse
from knox.models import AuthToken

SIGN_IN = "/sign-in/"


def _sign_in(client, password="correct horse", **more):
    return client.post(SIGN_IN, {"username": "ada", "password": password, **more})


def test_the_right_password_leads_to_the_projects(client, ada):
    assert _sign_in(client)["Location"] == reverse("home")


def test_a_wrong_password_and_an_unknown_name_get_the_same_sentence(client, ada):
    wrong = _sign_in(client, "wrong")
    nobody = client.post(SIGN_IN, {"username": "nobody", "password": "wrong"})

    sentence = "This name and password do not belong together."
    assert (wrong.status_code, nobody.status_code) == (422, 422)
    assert sentence in wrong.content.decode() and sentence in nobody.content.decode()
    assert "_auth_user_id" not in client.session


def test_signing_in_goes_on_to_the_page_that_was_asked_for(client, ada):
    asked = client.get("/account/")
    assert asked["Location"] == "/sign-in/?next=/account/"
    assert _sign_in(client, next="/account/")["Location"] == "/account/"


def test_a_foreign_address_is_not_followed_after_signing_in(client, ada):
    assert _sign_in(client, next="https://elsewhere.example/")["Location"] == reverse("home")


def test_whoever_is_signed_in_does_not_see_the_form(as_, ada):
    assert as_(ada).get(SIGN_IN)["Location"] == reverse("home")


def test_signing_out_takes_a_post(as_, ada):
    browser = as_(ada)
    assert browser.get("/sign-out/").status_code == 405
    assert browser.post("/sign-out/").status_code == 302
    assert browser.get("/account/").status_code == 302


def test_the_name_others_see_can_be_changed_and_emptied(as_, ada):
    browser = as_(ada)
    browser.post("/account/", {"display_name": "  Ada L.  "})
    ada.refresh_from_db()
    assert str(ada) == "Ada L."
    browser.post("/account/", {"display_name": ""})
    ada.refresh_from_db()
    assert str(ada) == "ada"


def test_a_name_that_is_too_long_is_kept_in_the_form_and_changes_nothing(as_, ada):
    page = as_(ada).post("/account/", {"display_name": "x" * 81})
    ada.refresh_from_db()

    assert page.status_code == 422
    assert "x" * 81 in page.content.decode()
    assert ada.display_name == "Ada"


def test_a_token_is_shown_once_works_and_can_be_revoked(as_, client, ada):
    browser = as_(ada)
    made = browser.post("/account/tokens/", {"name": "nightly", "scope": "write", "days": "30"})
    token = made.context["new_token"]
    assert token in made.content.decode() and made["Cache-Control"] == "no-store"
    assert token not in browser.get("/account/").content.decode()
    header = {"authorization": f"Token {token}"}
    assert client.get("/api/v1/projects/", headers=header).status_code == 200

    browser.post(reverse("accounts:token_revoke", args=[AuthToken.objects.get().token_key]))

    assert not AuthToken.objects.exists()
    assert client.get("/api/v1/projects/", headers=header).status_code == 401


@pytest.mark.parametrize("days", ["0", "-1", "many", "99999"])
def test_a_token_that_cannot_be_made_is_not_made(as_, ada, days):
    assert as_(ada).post("/account/tokens/", {"name": "nightly", "scope": "write", "days": days}).status_code == 422
    assert not AuthToken.objects.exists()


def test_nobody_revokes_the_token_of_somebody_else(as_, ada, grace):
    as_(ada).post("/account/tokens/", {"name": "nightly", "scope": "write", "days": ""})
    token = AuthToken.objects.get()

    assert as_(grace).post(reverse("accounts:token_revoke", args=[token.token_key])).status_code == 404
    assert AuthToken.objects.count() == 1
