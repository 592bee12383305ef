"""What an API token may do, and what is written down of it."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from knox.models import AuthToken

from apps.audit.models import Event
from apps.people import tokens
from apps.people.models import TokenGrant


def asks(user, scope, method, address, given=None):
    key = tokens.token_create(user=user, name="n", scope=scope, lasts=None, at=timezone.now())
    header = {"authorization": f"Token {key}"}
    return Client().generic(method, address, given or "{}", content_type="application/json", headers=header)


@pytest.mark.parametrize(
    "scope, method, path, status",
    [
        ("read", "GET", "", 200),
        ("read", "POST", "members/", 403),
        ("read", "DELETE", "members/1/", 403),
        ("read", "POST", "predict/", 403),
        ("predict", "GET", "", 403),
        ("predict", "POST", "examples/", 403),
        ("predict", "POST", "predict/", 400),
        ("write", "GET", "", 200),
        ("write", "POST", "members/", 400),
    ],
)
def test_a_token_does_what_its_scope_says(project, alma, scope, method, path, status):
    answer = asks(alma, scope, method, f"/api/v1/projects/{project.pk}/{path}")
    assert (answer.status_code, "code" in answer.json()) == (status, status != 200)


def test_a_scope_never_widens_what_its_owner_may(project, ada):
    assert asks(ada, "write", "POST", f"/api/v1/projects/{project.pk}/members/").status_code == 403


def test_a_token_of_an_earlier_release_does_everything_its_owner_may(project, alma):
    _, key = AuthToken.objects.create(user=alma)
    answer = Client().get(f"/api/v1/projects/{project.pk}/", headers={"authorization": f"Token {key}"})
    assert answer.status_code == 200


def test_the_last_use_is_written_down_to_the_minute(project, alma):
    asks(alma, "read", "GET", "/api/v1/projects/")
    grant = TokenGrant.objects.get()
    assert grant.last_used_at and timezone.now() - grant.last_used_at < timedelta(minutes=1)
    alma.refresh_from_db()
    assert alma.last_seen_at is not None


def test_the_page_proposes_ninety_days_and_shows_name_scope_and_end(as_, ada):
    browser = as_(ada)
    assert 'value="90"' in browser.get("/account/").content.decode()
    browser.post("/account/tokens/", {"name": "nightly upload", "scope": "read", "days": "90"})
    page = browser.get("/account/").content.decode()
    assert "nightly upload" in page and "Read" in page and "not known" in page
    assert Event.objects.get(verb="token.made").after["scope"] == "read"


@pytest.mark.parametrize("given", [{"name": ""}, {"scope": "all"}, {"name": "x" * 81}])
def test_a_token_without_a_name_or_of_no_scope_is_not_made(as_, ada, given):
    whole = {"name": "nightly", "scope": "read", "days": "90"} | given
    assert as_(ada).post("/account/tokens/", whole).status_code == 422
    assert not AuthToken.objects.exists()
