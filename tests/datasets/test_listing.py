"""The table of examples: filters, order, columns, and views that are kept."""

import uuid

import pytest
from django.http import QueryDict
from django.urls import reverse

from apps.datasets.listing import ListingAsked, examples_listed
from apps.datasets.listing_saved import view_save, views_for
from apps.datasets.models import Example, SavedView
from apps.errors import Invalid
from apps.labeling.models import Annotation, Assignment, AssignmentState, Label, LabelSource, Lane
from tests.conftest import NOON
from tests.datasets.test_intake import ingest


@pytest.fixture
def filled(project, ada, grace):
    """m0 and m1 are ham, m2 is spam and unsure; Ada answered m0 and m3, Grace answered m3 otherwise and flagged it."""
    ingest(project, [{"id": f"m{n}", "text": f"letter {n}"} for n in range(6)])
    Example.objects.update(holdout=False)
    Example.objects.filter(external_id="m5").update(holdout=True)
    ham, spam = project.labels.all()
    for name, label, sure in (("m0", ham, 0.9), ("m1", ham, None), ("m2", spam, 0.4)):
        more = {"holdout": False, "shown_at": NOON, "resolved_at": NOON, "source": LabelSource.CONSENSUS}
        Label.objects.create(
            project=project, example=Example.objects.get(external_id=name), label=label, confidence=sure, **more
        )
    _answer(project, "m0", ada, ham)
    _answer(project, "m3", ada, ham, lane=Lane.RANDOM)
    _answer(project, "m3", grace, spam, slot=1, flagged=True)
    return project


def _answer(project, name, by, label, *, slot=0, lane=Lane.ACTIVE, flagged=False):
    example = Example.objects.get(external_id=name)
    held = {
        "token": uuid.uuid4(),
        "leased_at": NOON,
        "leased_until": NOON,
        "rank": 0,
        "state": AssignmentState.ANSWERED,
    }
    given = Assignment.objects.create(project=project, example=example, holder=by, slot=slot, lane=lane, **held)
    said = {"client_id": uuid.uuid4(), "shown_at": NOON, "answered_at": NOON, "active_ms": 0, "flagged": flagged}
    Annotation.objects.create(project=project, example=example, assignment=given, annotator=by, label=label, **said)


def _found(project, query):
    return [e.external_id for e in examples_listed(project, ListingAsked(QueryDict(query)))]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["m5", "m4", "m3", "m2", "m1", "m0"]),
        ("sort=oldest", ["m0", "m1", "m2", "m3", "m4", "m5"]),
        ("label=ham", ["m1", "m0"]),
        ("label=-&sort=oldest", ["m3", "m4", "m5"]),
        ("by=ada", ["m3", "m0"]),
        ("by=ada&lane=random", ["m3"]),
        ("state=disagreed", ["m3"]),
        ("state=flagged", ["m3"]),
        ("state=unlabeled&side=training", ["m4", "m3"]),
        ("side=holdout", ["m5"]),
        ("sort=unsure&label=ham", ["m0", "m1"]),
        ("state=labeled&sort=unsure", ["m2", "m0", "m1"]),
        ("text=letter+4", ["m4"]),
        ("sort=nonsense&state=%00&side=x", ["m5", "m4", "m3", "m2", "m1", "m0"]),
    ],
)
def test_the_address_says_what_is_listed_and_in_which_order(filled, query, found):
    assert _found(filled, query) == found


def test_a_label_among_several_is_found(make_project):
    project = make_project("text-multilabel")
    ingest(project, [{"id": "a", "text": "x"}, {"id": "b", "text": "y"}])
    more = {"holdout": False, "shown_at": NOON, "resolved_at": NOON, "source": LabelSource.CONSENSUS}
    Label.objects.create(
        project=project, example=Example.objects.get(external_id="a"), value={"labels": ["spam"]}, **more
    )
    assert _found(project, "label=spam") == ["a"] and _found(project, "label=ham") == []


def test_columns_are_chosen_in_the_address(as_, filled, rosa):
    address = reverse("datasets:data", args=[filled.pk])
    shown = as_(rosa).get(address, {"col": ["confidence", "answers"]}).content.decode()
    table = shown.split("<thead>")[-1].split("</table>")[0]
    assert "Confidence" in table and "40.0 %" in table and "training" not in table
    assert "Confidence" not in as_(rosa).get(address).content.decode().split("<thead>")[-1].split("</table>")[0]


def test_a_page_costs_the_same_queries_for_fifty_rows_as_for_five(as_, project, lin, django_assert_max_num_queries):
    browser, counted = as_(lin), []
    for first in (0, 100):
        ingest(project, [{"id": str(n), "text": "x"} for n in range(first, first + (5 if not first else 45))])
        with django_assert_max_num_queries(40) as asked:
            browser.get(reverse("datasets:data", args=[project.pk]), {"col": ["answers", "label", "confidence"]})
        counted.append(len(asked))
    assert counted[0] == counted[1]


def test_a_view_is_kept_by_name_for_oneself_or_for_all(project, rosa, mona):
    own = view_save(project=project, name="Unsure", query="sort=unsure&page=7&x=1", shared=False, by=rosa, at=NOON)
    assert own.query == "sort=unsure"
    view_save(project=project, name="Unsure", query="sort=oldest", shared=False, by=rosa, at=NOON)
    view_save(project=project, name="Ham", query="label=ham", shared=True, by=mona, at=NOON)
    assert [(v.name, v.query) for v in views_for(project, rosa)] == [("Ham", "label=ham"), ("Unsure", "sort=oldest")]
    assert [v.name for v in views_for(project, mona)] == ["Ham"]
    with pytest.raises(Invalid):
        view_save(project=project, name=" ", query="", shared=False, by=rosa, at=NOON)


def test_the_page_saves_opens_and_removes_a_view(as_, filled, rosa, mona):
    browser, args = as_(rosa), [filled.pk]
    saved = browser.post(reverse("datasets:view_save", args=args), {"name": "Torn", "query": "state=disagreed"})
    assert saved["Location"] == reverse("datasets:data", args=args) + "?state=disagreed"
    shown = browser.get(saved["Location"]).content.decode()
    assert "Torn" in shown and "m3" in shown and "m4" not in shown.split("<thead>")[-1]
    view = SavedView.objects.get()
    gone = reverse("datasets:view_remove", args=[filled.pk, view.pk])
    assert as_(mona).post(gone).status_code == 302 and SavedView.objects.exists()
    assert browser.post(gone).status_code == 302 and not SavedView.objects.exists()
