"""The page of the desk as the console renders it: words, controls of the kind of answer, and text that stays text."""

import json
import re

import pytest
from django.urls import reverse

from apps.labeling.models import Lane
from fastloop_console.machine.env import ROOT

EVIL = "</script><script>bad()</script>"


def _page(as_, person, project, query=""):
    reply = as_(person).get(reverse("labeling:desk", args=[project.pk]) + query)
    assert reply.status_code == 200
    return reply.content.decode()


def _block(page, name):
    found = re.search(rf'<script id="{name}" type="application/json">(.*?)</script>', page)
    assert found is not None, name
    return json.loads(found.group(1))


@pytest.mark.parametrize(
    ("task_type", "kind", "control"),
    [
        ("text-classification", "choice", "data-picks"),
        ("text-multilabel", "choices", "data-picks"),
        ("text-spans", "spans", "data-extend"),
        ("image-boxes", "boxes", "data-make"),
    ],
)
def test_each_kind_of_answer_brings_its_own_controls_and_script(as_, make_project, ada, task_type, kind, control):
    page = _page(as_, ada, make_project(task_type))
    assert f"desk/{kind}.js" in page
    assert control in page


def test_labels_and_guidelines_with_html_stay_text(as_, make_project, ada):
    page = _page(as_, ada, make_project(labels=(EVIL, "ham"), name=f"Desk {EVIL}"))
    assert "<script>bad()" not in page
    assert [label["name"] for label in _block(page, "labels")] == [EVIL, "ham"]


def test_the_scripts_have_a_name_for_every_lane():
    head = (ROOT / "static/desk/head.js").read_text()
    named = re.findall(r"^  (\w+): gettext\(", head, flags=re.M)
    assert sorted(named) == sorted(Lane.values)


def test_the_review_mode_is_kept_by_the_page(as_, project, rosa):
    assert 'data-lane="review"' in _page(as_, rosa, project, "?lane=review")
    assert 'data-lane=""' in _page(as_, rosa, project, "?lane=nonsense")
