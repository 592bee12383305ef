"""Search: by words, id, label, lane, person and likeness; nobody finds what they may not see."""

import pytest
from django.urls import reverse

from apps.datasets.models import Example
from apps.labeling.bulk.search import tsquery
from apps.labeling.models import GoldItem, Label
from apps.labeling.services.bulk import assignment_take
from tests.conftest import NOON
from tests.datasets.test_intake import ingest
from tests.labeling.test_bulk import bulk, embed, ids_of  # noqa: F401

TEXTS = {
    "a": "The delivery was late",
    "b": "Late again: my DELIVERY!",
    "c": "thank you",
    "d": "Grüße aus Köln <b>x</b>",
}


@pytest.fixture
def texts(project):
    ingest(project, [{"id": name, "text": text} for name, text in TEXTS.items()])
    Example.objects.update(holdout=False)
    return {e.external_id: e for e in Example.objects.all()}


def found(browser, project, **query):
    page = browser.get(reverse("bulk:search", args=[project.pk]), query)
    assert page.status_code == 200
    return [line.external_id for line in page.context["lines"]]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("delivery", ["b", "a"]),
        ("late delivery", ["b", "a"]),
        ("deliv", ["b", "a"]),
        ("deli thank", []),
        ("c", ["c"]),
        ("grüße", ["d"]),
        ("KÖLN", ["d"]),
        ("'); DROP TABLE", []),
        ("& | ! :* <->", []),
        ("%", []),
        ("\x00", []),
    ],
)
def test_all_words_are_in_the_text_and_the_last_may_be_a_beginning(as_, project, texts, rosa, words, expected):
    assert found(as_(rosa), project, q=words) == expected


def test_signs_are_no_words():
    assert (tsquery("late, deliv"), tsquery("!&|"), tsquery("a'b")) == ("late & deliv:*", "", "a & b:*")


def test_whoever_sees_the_data_finds_by_label_lane_and_person_and_sees_who_said_what(as_, project, texts, ada, rosa):
    bulk(project, [texts["a"].pk, texts["c"].pk], ada, "spam")
    browser = as_(rosa)
    assert found(browser, project, label="spam") == ["c", "a"]
    assert found(browser, project, label="-") == ["d", "b"]
    assert found(browser, project, lane="bulk", by="ada", q="late") == ["a"]
    assert found(browser, project, by="grace") == [] == found(browser, project, label="nonsense")
    page = browser.get(reverse("bulk:search", args=[project.pk]), {"q": "thank"}).content.decode()
    assert "Ada: spam" in page and "&lt;b&gt;" not in page


def test_an_annotator_finds_what_waits_and_what_is_theirs_and_nobody_elses_answers(as_, project, texts, ada, grace):
    bulk(project, [texts["a"].pk], ada, "spam")
    bulk(project, [texts["b"].pk], grace, "ham")
    Example.objects.filter(external_id="d").update(holdout=True)
    GoldItem.objects.create(example=texts["c"], project=project, label=project.labels.get(name="ham"), at=NOON)
    browser = as_(ada)
    assert found(browser, project, q="delivery") == ["a"]
    assert found(browser, project, q="Köln") == found(browser, project, q="thank") == []
    assert found(browser, project, label="ham") == found(browser, project, by="grace") == []
    page = browser.get(reverse("bulk:search", args=[project.pk]), {"q": "delivery"}).content.decode()
    assert "Ada: spam" in page and "Grace" not in page


def test_more_like_one_come_nearest_first(as_, project, add_examples, embed, ada, rosa):  # noqa: F811
    add_examples(project, 30)
    embed(project)
    first = Example.objects.order_by("pk").first()
    everything = found(as_(rosa), project, like=first.pk)
    assert everything[:3] == ["m1", "m2", "m3"]
    assert set(found(as_(ada), project, like=first.pk)) <= set(everything)
    page = as_(rosa).get(reverse("bulk:search", args=[project.pk]), {"like": 10**9}).content.decode()
    assert "It has no vector yet" in page


def test_from_a_result_one_labels_it_now_or_asks_a_reviewer(as_, project, texts, ada):
    browser = as_(ada)
    answer = browser.post(reverse("bulk:take", args=[project.pk, texts["c"].pk]))
    assert answer["Location"] == reverse("labeling:desk", args=[project.pk])
    held = browser.post(
        reverse("labeling:next", args=[project.pk]), {"count": 1, "lane": ""}, content_type="application/json"
    ).json()
    assert held["assignments"][0]["example"]["id"] == texts["c"].pk
    flagged = browser.post(reverse("bulk:flag", args=[project.pk, texts["a"].pk]) + "?q=late", follow=True)
    assert "A reviewer will look at it." in flagged.content.decode() and flagged.redirect_chain[-1][0].endswith(
        "?q=late"
    )


def test_what_cannot_be_taken_is_refused_in_words_and_nothing_changes(as_, project, texts, ada, grace):
    assignment_take(project=project, example_id=texts["c"].pk, by=grace, at=NOON.replace(year=2100))
    answer = as_(ada).post(reverse("bulk:take", args=[project.pk, texts["c"].pk]))
    assert answer.status_code == 409 and "before somebody" in answer.content.decode()
    assert not Label.objects.exists()


def test_a_page_of_results_costs_the_same_queries_for_fifty_as_for_five(as_, project, rosa, django_assert_num_queries):
    browser = as_(rosa)
    for first, n in ((0, 5), (100, 60)):
        ingest(project, [{"id": str(i), "text": f"word {i}"} for i in range(first, first + n)])
        with django_assert_num_queries(17):
            browser.get(reverse("bulk:search", args=[project.pk]), {"q": "word"})
