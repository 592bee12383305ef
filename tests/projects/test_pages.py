"""The pages of projects: who sees them, what they take, what comes back."""

import re

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from apps.audit.models import Event
from apps.projects.forms import labels_from
from apps.projects.markdown import markdown
from apps.projects.models import Membership, Project
from apps.projects.services import LabelSpec

NEW = {
    "name": "Mail",
    "task_type": "text-classification",
    "labels": "ham | #2a78d6 | H\r\nspam\r\n\r\n",
    "guidelines": "**Mind** it.",
    "holdout_percent": "10",
    "overlap": "2",
}
QUEUE = {
    "strategy": "entropy",
    "overlap": "2",
    "consensus": "best",
    "review_percent": "50",
    "blind_percent": "10",
    "planted_percent": "0",
    "gold_failures": "3",
    "gold_feedback": "on",
    "overlap_holdout": "3",
    "weight_active": "50",
    "weight_random": "30",
    "weight_holdout": "15",
    "weight_audit": "5",
    "weight_gold": "10",
    "weight_relabel": "0",
    "weight_review": "10",
    "weight_drift": "0",
}


def _at(name, project, *more):
    route = name if ":" in name else f"projects:{name}"
    return reverse(route, args=[project.pk, *more])


def test_the_list_shows_own_projects_only(as_, make_project, ada, mallory):
    make_project(name="Mail")
    assert "Mail" in as_(ada).get("/projects/").content.decode()
    page = as_(mallory).get("/projects/").content.decode()
    assert "Mail" not in page and "You are in no project yet" in page
    assert "New project" not in page


def test_the_list_costs_the_same_queries_for_two_as_for_one(as_, make_project, ada, django_assert_num_queries):
    browser = as_(ada)
    for _ in range(2):
        make_project()
        with django_assert_num_queries(14):
            browser.get("/projects/")


def test_a_new_project_is_made_from_its_form(as_, alma):
    made = as_(alma).post("/projects/new/", NEW)
    project = Project.objects.get()

    assert made["Location"] == _at("loop:overview", project)
    assert (project.holdout_share, project.queue.overlap) == (0.1, 2)
    labels = list(project.labels.values_list("name", "color", "hotkey"))
    assert labels == [("ham", "#2a78d6", "H"), ("spam", "#b8860b", "1")]


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "x" * 81},
        {"task_type": "poetry"},
        {"labels": "ham"},
        {"labels": "ham\nham"},
        {"labels": "ham | #zzz\nspam"},
        {"labels": "ham | HH\nspam"},
        {"holdout_percent": "0"},
        {"holdout_percent": "nan"},
        {"overlap": "9"},
        {"labels": "ham | | Z\nspam"},
    ],
)
def test_a_form_with_a_fault_comes_back_with_what_was_typed(as_, alma, wrong):
    page = as_(alma).post("/projects/new/", {**NEW, **wrong})

    assert page.status_code == 422
    assert "**Mind** it." in page.content.decode()
    assert "Nothing was saved" in page.content.decode()
    assert not Project.objects.exists()


def test_whoever_may_not_make_projects_is_told_so(as_, ada):
    page = as_(ada).post("/projects/new/", NEW)
    assert page.status_code == 403
    assert not Project.objects.exists()


def test_labels_are_read_line_by_line():
    assert labels_from("ham\n spam | #2A78D6 | s \n\neggs | E") == [
        LabelSpec("ham"),
        LabelSpec("spam", "#2a78d6", "s"),
        LabelSpec("eggs", "", "E"),
    ]
    with pytest.raises(ValidationError, match="Line 2"):
        labels_from("ham\nspam | red;background:url(x)")


def test_settings_can_be_read_by_all_and_changed_by_few(as_, project, ada, mona):
    page = as_(ada).get(_at("settings", project)).content.decode()
    assert "ham" in page and "Save version" not in page
    for name, body in (("labels_add", {"labels": "eggs"}), ("guidelines_write", {"text": "x"}), ("queue:set", QUEUE)):
        assert as_(ada).post(_at(name, project), body).status_code == 403
    assert project.labels.count() == 2 and project.guidelines.count() == 1

    for name, body in (("labels_add", {"labels": "eggs"}), ("guidelines_write", {"text": "x"}), ("queue:set", QUEUE)):
        assert as_(mona).post(_at(name, project), body).status_code == 302
    project.refresh_from_db()
    assert (project.labels.count(), project.guidelines.count(), project.queue.strategy) == (3, 2, "entropy")


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("labels_add", {"labels": "ham"}),
        ("labels_add", {"labels": ""}),
        ("queue:set", {**QUEUE, "strategy": "astrology"}),
        ("queue:set", {**QUEUE, "weight_active": "-1"}),
        ("guidelines_write", {"text": "x" * 100_001}),
    ],
)
def test_a_setting_that_does_not_fit_changes_nothing(as_, project, mona, name, body):
    before = Event.objects.count()
    assert as_(mona).post(_at(name, project), body).status_code == 422
    assert Event.objects.count() == before


def test_guidelines_are_shown_as_markdown_without_scripts(as_, project, mona):
    text = "**a** <script>alert(1)</script>"
    page = as_(mona).post(_at("guidelines_preview", project), {"text": text}).content.decode()
    assert "<strong>a</strong>" in page and "<script" not in page
    assert "<a" not in markdown("[x](javascript:alert(1))") and "<img" not in markdown("<img src=x onerror=alert(1)>")
    assert "<table>" in markdown("|a|b|\n|-|-|\n|1|2|")


def test_an_old_version_of_the_guidelines_can_be_read(as_, project, mona):
    browser = as_(mona)
    browser.post(_at("guidelines_write", project), {"text": "Newer."})
    page = browser.get(_at("settings", project), {"version": "1"}).content.decode()
    assert "Version 1, not in force" in page
    assert browser.get(_at("settings", project), {"version": "x"}).status_code == 200


def test_members_are_for_those_who_manage_them(as_, project, ada, lin, mona, mallory):
    assert as_(ada).get(_at("members", project)).status_code == 403
    assert as_(lin).get(_at("members", project)).status_code == 403
    assert as_(mallory).get(_at("members", project)).status_code == 404

    browser = as_(mona)
    assert browser.post(_at("members", project), {"username": "mallory", "role": "annotator"}).status_code == 302
    assert project.memberships.get(user=mallory).role == "annotator"
    assert browser.post(_at("members", project), {"username": "nobody", "role": "annotator"}).status_code == 422
    assert browser.post(_at("members", project), {"username": "ada", "role": "king"}).status_code == 422
    assert browser.post(_at("members", project), {"username": "ada", "role": "admin"}).status_code == 403
    assert browser.post(_at("member_remove", project, mallory.pk)).status_code == 302
    assert not project.memberships.filter(user=mallory).exists()


def test_whoever_removes_themselves_lands_on_the_list(as_, project, mona):
    assert as_(mona).post(_at("member_remove", project, mona.pk))["Location"] == "/projects/"


def test_the_audit_trail_filters_and_says_whether_it_is_whole(as_, project, ada, lin):
    assert as_(ada).get(_at("audit", project)).status_code == 403
    browser = as_(lin)
    assert "Alma made Ada annotator." in browser.get(_at("audit", project)).content.decode()
    assert "Alma made Ada" not in browser.get(_at("audit", project), {"text": "Grace"}).content.decode()
    assert "Alma made Ada" not in browser.get(_at("audit", project), {"verb": "project.created"}).content.decode()
    assert "No entry fits" in browser.get(_at("audit", project), {"text": "zebra"}).content.decode()
    assert browser.get(_at("audit", project), {"page": "zebra"}).status_code == 200
    assert "Chain intact" in browser.get(_at("audit_chain", project)).content.decode()

    Event.objects.filter(sequence=2).update(sentence="Nobody did anything.")
    assert "Chain broken" in browser.get(_at("audit_chain", project)).content.decode()
    assert "Chain broken" in browser.get(_at("audit", project), {"check": "1"}).content.decode()


def test_the_rail_offers_only_what_the_person_may_open(as_, project, ada, lin):
    labeler, engineer = (as_(p).get(_at("settings", project)).content.decode() for p in (ada, lin))
    for place in ("members", "audit"):
        assert _at(place, project) not in labeler
    assert _at("audit", project) in engineer
    assert reverse("labeling:desk", args=[project.pk]) in labeler
    assert f'href="{reverse("labeling:desk", args=[project.pk])}"' not in engineer


def test_a_refusal_is_a_page_a_fragment_or_json_as_asked(as_, project, ada):
    browser, url = as_(ada), _at("audit", project)
    page = browser.get(url)
    fragment = browser.get(url, headers={"hx-request": "true"})
    json = browser.get(url, headers={"accept": "application/json"})

    assert (page.status_code, fragment.status_code, json.status_code) == (403, 403, 403)
    assert "<html" in page.content.decode() and "<html" not in fragment.content.decode()
    assert "read the audit trail" in fragment.content.decode()
    assert json.json()["code"] == "forbidden"


def test_an_address_that_does_not_exist_gets_our_page(as_, ada):
    page = as_(ada).get("/nowhere/")
    assert page.status_code == 404 and "There is nothing at this address." in page.content.decode()


def test_a_manager_retires_a_label_and_offers_it_again(as_, make_project, mona, ada):
    project = make_project(labels=("ham", "spam", "eggs"))
    assert as_(ada).post(_at("label_retire", project), {"name": "eggs"}).status_code == 403
    assert as_(mona).post(_at("label_retire", project), {"name": "eggs"}).status_code == 302
    page = as_(mona).get(_at("settings", project)).content.decode()
    assert "retired" in page and "Offer “eggs” again" in page
    assert as_(mona).post(_at("label_retire", project), {"name": "eggs", "restore": "1"}).status_code == 302
    assert not project.labels.exclude(retired_at=None).exists()


def test_each_lane_has_a_weight_and_where_it_makes_sense_a_number_of_answers(as_, project, mona):
    as_(mona).post(_at("queue:set", project), QUEUE)
    page = " ".join(as_(mona).get(_at("queue:settings", project)).content.decode().split())
    assert 'name="overlap_holdout" id="id_overlap_holdout" value="3"' in page
    assert 'name="weight_gold"' in page and 'name="overlap_gold"' not in page


def ways(page: str) -> dict[str, str]:
    """The rail's switcher: addresses by the name of the project."""
    switcher = page.split('class="menu-of switch"', 1)[1].split("</details>", 1)[0]
    return {name: way for way, name in re.findall(r'href="(/projects/\d+/[^"]*)"[^>]*>([^<]+)</a>', switcher)}


def test_switching_the_project_keeps_the_kind_of_page_where_the_role_may_open_it(make_project, as_, mona):
    here, there, elsewhere = make_project(name="Here"), make_project(name="There"), make_project(name="Elsewhere")
    Membership.objects.filter(project=elsewhere, user=mona).update(role="annotator")
    runs = ways(as_(mona).get(f"/projects/{here.pk}/runs/").content.decode())
    assert runs == {
        "Here": f"/projects/{here.pk}/runs/",
        "There": f"/projects/{there.pk}/runs/",
        "Elsewhere": f"/projects/{elsewhere.pk}/",
    }
    refused = ways(as_(mona).get(f"/projects/{here.pk}/quality/people/{mona.pk}/").content.decode())
    assert refused["There"] == f"/projects/{there.pk}/quality/"
    desk = ways(as_(mona).get(f"/projects/{here.pk}/label/search/").content.decode())
    assert desk["Elsewhere"] == f"/projects/{elsewhere.pk}/label/search/"
