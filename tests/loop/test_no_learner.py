"""A kind of answer that no model learns says so where it is chosen, and offers no run anywhere."""

import pytest
from django.test import Client
from django.urls import reverse

from apps.labeling.desk.presenters import why
from apps.projects.task_types import TASK_TYPES
from tests.conftest import NOON
from tests.rows import labeled

UNLEARNED = sorted(each.name for each in TASK_TYPES.values() if not each.learns)
PROMISES = (
    "run starts by itself",
    "one starts by itself",
    "Starts by itself",
    "Start a run",
    "Start a full run",
    "Start the first run",
    "at 100",
)


def test_the_kind_says_so_where_it_is_chosen(alma):
    client = Client()
    client.force_login(alma)
    page = client.get(reverse("setup:new")).content.decode()
    assert page.count("No model learns this kind here yet") == len(UNLEARNED) > 0


@pytest.mark.parametrize("task_type", UNLEARNED)
def test_no_page_promises_or_offers_a_run(make_project, alma, task_type):
    project = make_project(task_type, labels=("one", "two") if task_type != "text-preference" else ())
    client = Client()
    client.force_login(alma)
    for name in ("loop:overview", "training:runs", "training:schedules", "training:sweeps", "training:online"):
        page = client.get(reverse(name, args=[project.pk])).content.decode()
        assert [words for words in PROMISES if words in page] == [], name
        assert reverse("loop:run_start", args=[project.pk]) not in page, name
        assert "No model learns this kind" in page, name


def test_a_kind_that_is_learned_still_offers_its_run(make_project, alma):
    project = make_project()
    labeled(project, 6, at=NOON)
    client = Client()
    client.force_login(alma)
    page = client.get(reverse("loop:overview", args=[project.pk])).content.decode()
    assert "Start a run" in page
    assert "No model learns" not in page


@pytest.mark.parametrize("lane", ["random", "holdout", "active"])
def test_the_desks_reason_promises_no_model(lane):
    said = why(lane, {"strategy": "no-model"}, blind=True, label_names=(), learns=False)
    assert said.startswith("Drawn at random: no model learns this kind of answer here")
