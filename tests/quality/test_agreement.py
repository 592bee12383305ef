"""Agreement of a project's people as it is read, with every reason why there is none."""

import pytest
from django.urls import reverse
from django.utils import timezone

from apps.labeling.models import Lane
from apps.quality.votes import agreed_of
from tests.quality.conftest import example


def test_two_people_are_measured_on_what_both_answered(project, examples, said, ada, grace, rosa):
    for i, each in enumerate(examples[:10]):
        said(ada, each, "ham" if i < 5 else "spam")
        said(grace, each, "ham" if i < 4 else "spam")
    said(rosa, examples[11], "ham")  # alone there
    found = agreed_of(project)
    assert (found.overall.examples, found.overall.people, found.answers) == (10, 2, 20)
    assert found.overall.value == pytest.approx(1 - (2 / 20) / (2 * 9 * 11 / (20 * 19)))  # nine ham and eleven spam
    assert found.share == 0.9 and found.pairs[0].kappa == pytest.approx(0.8)
    assert {(p.one, p.other) for p in found.pairs} == {(ada.pk, grace.pk)}
    assert found.partners[ada.pk].meetings == 10


def test_reviews_skips_withdrawn_and_planted_answers_do_not_count(project, examples, said, ada, grace, rosa):
    one, two, three, four = examples[:4]
    for each in (one, two, three, four):
        said(ada, each, "ham")
    said(rosa, one, "spam", lane=Lane.REVIEW)
    said(grace, two, skip="unclear")
    said(grace, three, "spam", withdrawn_at=timezone.now())
    said(grace, four, "spam", lane=Lane.GOLD, suggestion="spam", planted=True)
    found = agreed_of(project)
    assert found.overall.value is None and found.pairs == ()


def test_a_new_answer_and_an_undone_one_change_what_was_read_before(project, examples, said, ada, grace):
    said(ada, examples[0], "ham")
    last = said(grace, examples[0], "spam")
    assert agreed_of(project).share == 0.0
    said(ada, examples[1], "ham")
    said(grace, examples[1], "ham")
    assert agreed_of(project).share == 0.5
    last.withdrawn_at = timezone.now()
    last.save()
    assert agreed_of(project).share == 1.0


def test_retired_labels_stay_readable_while_somebody_gave_them(project, examples, said, ada, grace):
    said(ada, examples[0], "ham")
    said(grace, examples[0], "spam")
    project.labels.filter(name="spam").update(retired_at=timezone.now())
    found = agreed_of(project)
    assert [(x.name, x.retired) for x in found.labels] == [("ham", False), ("spam", True)]


@pytest.mark.parametrize(
    ("task_type", "labels", "same", "other"),
    [
        ("text-spans", ("PER", "ORG"), {"spans": [{"start": 0, "end": 4, "label": "PER"}]}, {"spans": []}),
        ("text-multilabel", ("a", "b"), {"labels": ["a", "b"]}, {"labels": ["a"]}),
    ],
)
def test_answers_of_several_parts_are_compared_by_their_likeness(
    make_project, said, ada, grace, task_type, labels, same, other
):
    project = make_project(task_type, labels)
    rows = [example(project, n) for n in range(6)]
    for n, each in enumerate(rows):
        said(ada, each, same if n % 2 else other)
        said(grace, each, same if n % 2 or n == 2 else other)
    found = agreed_of(project)
    assert found.structured and found.fleiss is None
    assert found.overall.value is not None and 0 < found.overall.value < 1
    assert found.pairs[0].kappa is None and 0.8 < found.pairs[0].share < 1
    assert len(found.labels) == 2


def test_the_page_says_why_there_is_nothing_to_measure_and_what_to_do(as_, project, mona, lin, ada, examples, said):
    page = as_(mona).get(reverse("quality:overview", args=[project.pk])).content.decode()
    assert "Nobody has answered yet." in page and "Set the overlap" in page
    said(ada, examples[0])
    page = as_(lin).get(reverse("quality:overview", args=[project.pk])).content.decode()
    assert "Only one person has answered" in page and "Set the overlap" not in page
    assert "nan" not in page.lower().replace("finance", "")


def test_the_page_tells_the_figure_its_interval_and_what_it_is_worth(as_, project, examples, said, ada, grace, mona):
    for i, each in enumerate(examples):
        said(ada, each, "ham" if i < 6 else "spam")
        said(grace, each, "ham" if i < 7 else "spam")
    found = agreed_of(project).overall
    page = as_(mona).get(reverse("quality:overview", args=[project.pk])).content.decode()
    assert f"alpha is {found.value:.2f}" in page and f"between {found.low:.2f} and {found.high:.2f}" in page
    figure = as_(mona).get(reverse("quality:figures", args=[project.pk])).json()["pairs"]
    assert figure["layout"]["meta"]["finding"] == "Ada and Grace agree least: 92 % of 12 shared examples."
    assert figure["data"][0]["x"] == ["Ada", "Grace"] and figure["data"][0]["text"][0][1] == "0.83"


def test_the_map_without_pairs_says_so(as_, project, mona):
    figure = as_(mona).get(reverse("quality:figures", args=[project.pk])).json()["pairs"]
    assert figure["data"] == [] and "No two people" in figure["layout"]["meta"]["empty"]
