"""Name, note and tags of a run: written on its page and over the API, found in the list, and audited."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.audit.models import Event
from apps.projects.models import Project
from apps.training.listing import tags_in
from apps.training.models import Run
from tests.api import api_of, at
from tests.rows import labeled, model, trained

As = Callable[[User], Client]


def described(user: User, run: Run, **body: object) -> object:
    return api_of(user).patch(f"/api/v1/runs/{run.pk}/", body, format="json")


def numbers(client: Client, project: Project, query: str) -> list[int]:
    page = client.get(reverse("training:runs", args=[project.pk]) + query)
    return [run.number for run in page.context["page"]]


def test_lin_names_a_run_tags_it_and_writes_a_note(as_: As, lin: User, project: Project) -> None:
    labeled(project)
    run = trained(project)
    url = reverse("lineage:run_describe", args=[project.pk, run.pk])
    sent = {"name": " Small\u00a0 step ", "tags": "baseline, low  lr,", "note": "As run 0,\r\nbut slower."}
    assert as_(lin).post(url, sent).status_code == 302
    run.refresh_from_db()
    assert (run.name, run.tags, run.note) == ("Small step", ["baseline", "low lr"], "As run 0,\nbut slower.")
    page = as_(lin).get(reverse("lineage:run", args=[project.pk, run.pk]))
    assert "Run 1: Small step" in page.text and "As run 0,<br>but slower." in page.text
    assert f"{reverse('training:runs', args=[project.pk])}?tag=low%20lr" in page.text
    event = Event.objects.get(verb="run.described")
    assert event.after == {"name": "Small step", "note": "As run 0,\nbut slower.", "tags": ["baseline", "low lr"]}
    assert event.before == {"name": "", "note": "", "tags": []} and event.actor == lin


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({"name": "x" * 81}, "name", "The name has 81 characters; at most 80 fit."),
        ({"name": "a\x00b"}, "name", "Null characters are not allowed."),
        ({"name": "a\x07b"}, "name", "U+0007"),
        ({"note": "x" * 2001}, "note", "The note has 2,001 characters; at most 2,000 fit."),
        ({"note": "a\x1bb"}, "note", "U+001B"),
        ({"tags": ["x" * 41]}, "tags", "A tag has 41 characters; at most 40 fit."),
        ({"tags": ["\u200b "]}, "tags", "A tag is empty."),
        ({"tags": ["a,b"]}, "tags", "has a comma"),
        ({"tags": [f"t{n}" for n in range(11)]}, "tags", "There are 11 tags; at most 10 fit."),
    ],
)
def test_what_cannot_stand_beside_a_run_is_refused_and_nothing_changes(
    lin: User, project: Project, body: dict[str, object], field: str, words: str
) -> None:
    labeled(project)
    run = trained(project)
    reply = described(lin, run, name="kept", note="kept", tags=["kept"])
    assert reply.status_code == 200
    refused = described(lin, run, **body)
    assert refused.status_code in (400, 422) and words in refused.content.decode(), refused.content
    run.refresh_from_db()
    assert (run.name, run.note, run.tags) == ("kept", "kept", ["kept"])
    assert Event.objects.filter(verb="run.described").count() == 1


def test_the_page_says_beside_the_field_what_is_wrong_and_keeps_what_was_typed(
    as_: As, lin: User, project: Project
) -> None:
    labeled(project)
    run = trained(project)
    url = reverse("lineage:run_describe", args=[project.pk, run.pk])
    for headers in ({}, {"HX-Request": "true"}):
        refused = as_(lin).post(url, {"name": "n" * 81, "note": "typed"}, headers=headers)
        assert refused.status_code == 422
        assert "The name has 81 characters; at most 80 fit." in refused.text and "typed" in refused.text
    run.refresh_from_db()
    assert run.name == run.note == ""


def test_blanks_that_nobody_sees_take_a_name_and_a_note_away(lin: User, project: Project) -> None:
    labeled(project)
    run = trained(project)
    described(lin, run, name="x", note="y")
    reply = described(lin, run, name=" \u200b\u00a0", note="\u2060\n \u200b")
    assert reply.status_code == 200 and reply.json()["name"] == reply.json()["note"] == ""


def test_a_tag_that_looks_like_one_of_another_run_is_that_one(lin: User, project: Project) -> None:
    labeled(project)
    first, second = trained(project), trained(project)
    described(lin, first, tags=["Caf\u00e9"])
    assert described(lin, second, tags=["cafe\u0301", "CAF\u00c9"]).json()["tags"] == ["Caf\u00e9"]
    assert tags_in(project) == ["Caf\u00e9"]


def test_what_is_left_out_of_a_patch_stays_and_the_same_again_is_no_event(lin: User, project: Project) -> None:
    labeled(project)
    run = trained(project)
    described(lin, run, name="x", tags=["a"])
    described(lin, run, note="n")
    run.refresh_from_db()
    assert (run.name, run.note, run.tags) == ("x", "n", ["a"])
    before = Event.objects.count()
    described(lin, run, name="x", tags=["a"], note="n")
    assert Event.objects.count() == before


def test_mona_reads_a_note_and_may_not_write_one(as_: As, mona: User, ada: User, lin: User, project: Project) -> None:
    labeled(project)
    run = trained(project)
    described(lin, run, note="Read me.")
    page = as_(mona).get(reverse("lineage:run", args=[project.pk, run.pk]))
    assert "Read me." in page.text and "run_describe" not in page.text and "Run again with changes" not in page.text
    assert described(mona, run, note="Mine.").status_code == 403
    assert described(ada, run, note="Mine.").status_code == 403
    run.refresh_from_db()
    assert run.note == "Read me."


def test_runs_are_found_by_tag_and_by_words_and_sorted_by_name(as_: As, lin: User, project: Project) -> None:
    labeled(project)
    for name, note, tags in (("beta", "slow step", ["x"]), ("Alpha", "", ["x", "y"]), ("", "slow", [])):
        described(lin, model(project).run, name=name, note=note, tags=tags)
    browser = as_(lin)
    assert numbers(browser, project, "?tag=x") == [2, 1]
    assert numbers(browser, project, "?tag=%20x%E2%80%8B") == [2, 1]  # as a tag is kept
    assert numbers(browser, project, "?tag=nobody") == []
    assert numbers(browser, project, "?q=SLOW") == [3, 1]
    assert numbers(browser, project, "?q=slow+beta") == [1]
    assert numbers(browser, project, "?q=%00") == [3, 2, 1]
    assert numbers(browser, project, "?sort=name") == [2, 1, 3]
    page = browser.get(reverse("training:runs", args=[project.pk]) + "?tag=x&q=slow&sort=name")
    assert "tag=x&amp;q=slow&amp;sort=name" in page.text  # the live list asks for the same again


def test_the_api_sorts_and_filters_as_the_page_does(lin: User, project: Project) -> None:
    labeled(project)
    for name, tags in (("beta", ["x"]), ("Alpha", ["x", "y"]), ("", [])):
        described(lin, model(project).run, name=name, tags=tags)

    def asked(query: str) -> list[int]:
        return [row["number"] for row in api_of(lin).get(at(project, f"runs/?{query}")).json()["results"]]

    assert asked("tag=y") == [2] and asked("q=beta") == [1]
    assert asked("sort=name") == [2, 1, 3] and asked("kind=incremental") == []
    assert asked("sort=nonsense") == [3, 2, 1]
    first = api_of(lin).get(at(project, "runs/?sort=name&page_size=2")).json()
    assert [row["number"] for row in first["results"]] == [2, 1]
    rest = api_of(lin).get(first["next"]).json()
    assert [row["number"] for row in rest["results"]] == [3] and rest["next"] is None
    assert first["results"][0]["accuracy"] == 0.9 and first["results"][0]["verdict"] == "pass"
    assert first["results"][0]["model"] == 2 and first["results"][0]["accuracy_change"] is None
