"""The API's frame: tokens, projects, members, the target, pages of lists, the schema."""

from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, get_resolver
from knox.models import AuthToken

from apps.accounts.models import User
from apps.projects.models import Membership, Project
from apps.slas.services import target_hours
from tests import rows
from tests.api import api_of, at, post

SPAM = {"name": "Spam", "task_type": "text-classification", "labels": [{"name": "ham"}, {"name": "spam"}]}


def test_without_a_token_the_api_answers_401_in_words(client: Client, project: Project) -> None:
    answer = client.get(at(project))
    assert answer.status_code == 401
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json() == {
        "type": "about:blank",
        "title": "Unauthorized",
        "status": 401,
        "detail": "Authentication credentials were not provided.",
        "code": "not_authenticated",
    }


def test_a_revoked_token_opens_nothing(project: Project, lin: User) -> None:
    lins = api_of(lin)
    assert lins.get(at(project)).status_code == 200
    AuthToken.objects.filter(user=lin).delete()
    assert lins.get(at(project)).status_code == 401


def test_alma_creates_a_project_and_is_its_admin(alma: User) -> None:
    answer = post(alma, "/api/v1/projects/", **SPAM, holdout_share=0.2, overlap=2, guidelines="*Think*.")
    assert answer.status_code == 201
    made = Project.objects.get(pk=answer.json()["id"])
    assert (made.name, made.slug, made.holdout_share, made.queue.overlap) == ("Spam", "spam", 0.2, 2)
    assert [(x["name"], x["color"], x["hotkey"]) for x in answer.json()["labels"]] == [
        ("ham", "#2a78d6", "1"),
        ("spam", "#b8860b", "2"),
    ]
    assert Membership.objects.get(project=made, user=alma).role == "admin"


def test_ada_may_not_create_projects(ada: User) -> None:
    answer = post(ada, "/api/v1/projects/", **SPAM)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert not Project.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "status", "words"),
    [
        ({"task_type": "fortune-telling"}, 400, "“fields”"),
        ({"labels": []}, 400, "“fields”"),
        ({"labels": [{"name": "ham"}, {"name": "Ham"}]}, 422, "The label “Ham” is there twice."),
        (
            {"labels": [{"name": "ham", "hotkey": "1"}, {"name": "spam", "hotkey": "1"}]},
            422,
            "The key 1 is given to two labels.",
        ),
        ({"labels": [{"name": "ham", "hotkey": "z"}]}, 422, "The key Z is taken by the labeling screen itself."),
        ({"labels": [{"name": "ham", "color": "red"}]}, 400, "“fields”"),
        ({"name": ""}, 400, "“fields”"),
        ({"holdout_share": 0.9}, 400, "“fields”"),
    ],
)
def test_a_project_that_does_not_fit_is_refused_in_words_and_not_made(
    alma: User, wrong: dict[str, Any], status: int, words: str
) -> None:
    answer = post(alma, "/api/v1/projects/", **{**SPAM, **wrong})
    assert answer.status_code == status
    assert words in answer.json()["detail"]
    assert not Project.objects.exists()


def test_the_fields_that_do_not_fit_are_named(alma: User) -> None:
    answer = post(alma, "/api/v1/projects/", name="Spam", task_type="fortune-telling", labels=[])
    assert answer.json()["code"] == "invalid"
    assert set(answer.json()["fields"]) == {"task_type", "labels"}
    assert answer.json()["fields"]["task_type"] == ['"fortune-telling" is not a valid choice.']


def test_a_name_that_is_taken_is_refused_whatever_its_case(alma: User) -> None:
    assert post(alma, "/api/v1/projects/", **SPAM).status_code == 201
    answer = post(alma, "/api/v1/projects/", **{**SPAM, "name": "spam "})
    assert (answer.status_code, answer.json()["detail"]) == (422, "A project named “spam” exists already.")
    assert Project.objects.count() == 1


def test_mallory_sees_no_project(project: Project, mallory: User) -> None:
    assert api_of(mallory).get("/api/v1/projects/").json()["results"] == []
    refused = api_of(mallory).get(at(project)).json()
    words = "There is no such project, or you are not a member of it."
    assert (refused["detail"], refused["code"], refused["status"]) == (words, "not_found", 404)


def test_mona_gives_and_takes_roles(project: Project, mona: User, mallory: User) -> None:
    given = post(mona, at(project, "members/"), username="mallory", role="annotator")
    assert (given.status_code, given.json()["role"]) == (200, "annotator")
    assert api_of(mona).delete(at(project, f"members/{mallory.pk}/")).status_code == 204
    assert not Membership.objects.filter(project=project, user=mallory).exists()


def test_nobody_unknown_becomes_a_member(project: Project, mona: User) -> None:
    answer = post(mona, at(project, "members/"), username="nobody", role="annotator")
    assert (answer.status_code, answer.json()["detail"]) == (422, "Nobody signs in as “nobody”.")


def test_a_manager_cannot_make_herself_admin_nor_remove_the_last_one(project: Project, mona: User, alma: User) -> None:
    assert post(mona, at(project, "members/"), username="mona", role="admin").status_code == 403
    assert api_of(mona).delete(at(project, f"members/{alma.pk}/")).status_code == 403
    assert api_of(alma).delete(at(project, f"members/{alma.pk}/")).status_code == 422
    kept = dict(Membership.objects.filter(project=project).values_list("user__username", "role"))
    assert (kept["mona"], kept["alma"]) == ("manager", "admin")


def test_the_target_is_72_hours_until_mona_sets_it(project: Project, mona: User) -> None:
    assert api_of(mona).get(at(project, "target/")).json() == {"hours": 72.0}
    assert api_of(mona).put(at(project, "target/"), {"hours": 24}, format="json").json() == {"hours": 24.0}
    assert target_hours(project) == 24


@pytest.mark.parametrize("hours", [0, -1, 9000, "soon", None])
def test_an_impossible_target_is_refused_and_the_old_one_stays(project: Project, mona: User, hours: object) -> None:
    answer = api_of(mona).put(at(project, "target/"), {"hours": hours}, format="json")
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["hours"])
    assert target_hours(project) == 72


def test_lists_come_in_pages_that_lead_to_each_other(project: Project, lin: User) -> None:
    rows.labeled(project, 5)
    first = api_of(lin).get(at(project, "examples/"), {"page_size": 2}).json()
    assert first["previous"] is None
    second = api_of(lin).get(first["next"]).json()
    third = api_of(lin).get(second["next"]).json()
    ids = [x["external_id"] for page in (first, second, third) for x in page["results"]]
    assert ids == ["e4", "e3", "e2", "e1", "e0"]
    assert third["next"] is None


def test_no_row_is_passed_over_or_shown_twice_while_others_come_in(project: Project, lin: User) -> None:
    rows.labeled(project, 5)
    first = api_of(lin).get(at(project, "examples/"), {"page_size": 3}).json()
    rows.labeled(project, 4)
    rest = api_of(lin).get(first["next"]).json()
    ids = [x["external_id"] for page in (first, rest) for x in page["results"]]
    assert (ids, rest["next"]) == (["e4", "e3", "e2", "e1", "e0"], None)
    assert [x["external_id"] for x in api_of(lin).get(rest["previous"]).json()["results"]] == ["e4", "e3", "e2"]


@pytest.mark.parametrize("where", ["examples/", "schedules/"])
def test_a_cursor_that_leads_nowhere_is_refused_in_words(project: Project, lin: User, where: str) -> None:
    answer = api_of(lin).get(at(project, where), {"cursor": "²"})
    assert (answer.status_code, answer.json()["detail"]) == (404, "This cursor leads nowhere. Begin without one.")


def test_no_page_holds_more_than_a_thousand(project: Project, lin: User) -> None:
    rows.labeled(project, 1002)
    answer = api_of(lin).get(at(project, "examples/"), {"page_size": 1000}).json()
    assert len(answer["results"]) == 1000
    for size in ("1001", "0", "-1", "x", "²", "9" * 30):
        refused = api_of(lin).get(at(project, "examples/"), {"page_size": size})
        assert (refused.status_code, refused.json()["fields"]) == (400, {"page_size": ["A page has 1 to 1000 rows."]})


def test_every_route_of_the_api_stands_in_the_schema(client: Client) -> None:
    api = next(p for p in get_resolver().url_patterns if str(p.pattern) == "api/")
    routes = {f"/api/{p.pattern}" for p in api.url_patterns if isinstance(p, URLPattern)}
    plain = routes - {"/api/", "/api/schema/", "/api/reference/"}
    for kind in ("int", "uuid", "str"):
        plain = {r.replace(f"<{kind}:", "{").replace(">", "}") for r in plain}
    schema = client.get("/api/schema/", HTTP_ACCEPT="application/vnd.oai.openapi+json").json()
    assert len(plain) > 20
    assert set(schema["paths"]) == plain


def test_the_page_of_the_api_needs_no_foreign_host(client: Client) -> None:
    page = client.get("/api/reference/").content.decode()
    assert "swagger" in page
    assert 'src="http' not in page
    assert 'href="http' not in page
