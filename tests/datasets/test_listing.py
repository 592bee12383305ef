"""The table of examples: filters, order, columns, and views that are kept."""

import uuid
from datetime import UTC, datetime, timedelta
from importlib import import_module

import pytest
from django.apps import apps
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone

from apps.datasets.listing import ListingAsked, examples_listed
from apps.datasets.listing_saved import view_save, views_for
from apps.datasets.models import Example, SavedView
from apps.errors import Invalid
from apps.labeling.models import Annotation, Assignment, AssignmentState, Label, LabelSource, Lane
from apps.labeling.services.renaming import label_edit
from apps.projects.schema import LabelChange
from tests.api import api_of, at
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
    Label.objects.filter(example__external_id="m2").update(resolved_at=NOON + timedelta(days=1))
    Example.objects.update(ingested_at=NOON)
    Example.objects.filter(external_id="m4").update(ingested_at=NOON + timedelta(days=2))
    Example.objects.filter(external_id="m5").update(ingested_at=NOON + timedelta(days=3))
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
        ("percent_min=50", ["m0"]),
        ("percent_max=40", ["m2"]),
        ("percent_min=40&percent_max=90&sort=oldest", ["m0", "m2"]),
        ("confidence_min=0.4&confidence_max=0.4", ["m2"]),
        ("percent_min=0,9&label=spam", ["m2"]),
        ("percent_min=-1&percent_max=1e999&sort=oldest", ["m0", "m1", "m2", "m3", "m4", "m5"]),
        ("labeled_from=2026-11-02&labeled_to=2026-11-02", ["m1", "m0"]),
        ("labeled_from=2026-11-03", ["m2"]),
        ("labeled_to=2026-11-02T11:59:59Z", []),
        ("labeled_to=2026-11-02T12:00:00Z", ["m1", "m0"]),
        ("added_from=2026-11-04&added_to=2026-11-05", ["m5", "m4"]),
        ("added_to=2026-11-04", ["m4", "m3", "m2", "m1", "m0"]),
        ("added_from=2026-13-45&added_to=yesterday", ["m5", "m4", "m3", "m2", "m1", "m0"]),
        ("lane=random", ["m3"]),
        ("lane=gold", []),
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
    assert [(v.name, v.address) for v in views_for(project, rosa)] == [("Ham", "label=ham"), ("Unsure", "sort=oldest")]
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


def test_a_day_is_the_reader_s_own(filled):
    """23:30 in Los Angeles on the 3rd is the 4th in UTC."""
    Example.objects.filter(external_id="m4").update(ingested_at=datetime(2026, 11, 4, 7, 30, tzinfo=UTC))
    assert _found(filled, "added_from=2026-11-04&added_to=2026-11-04") == ["m4"]
    with timezone.override("America/Los_Angeles"):
        assert _found(filled, "added_from=2026-11-03&added_to=2026-11-03") == ["m4"]
        assert _found(filled, "added_from=2026-11-04&added_to=2026-11-04") == []


def test_spans_and_boxes_are_found_by_their_label(make_project):
    project = make_project("text-spans")
    ingest(project, [{"id": "a", "text": "Ada in Rome"}, {"id": "b", "text": "y"}])
    more = {"holdout": False, "shown_at": NOON, "resolved_at": NOON, "source": LabelSource.CONSENSUS}
    value = {"spans": [{"start": 0, "end": 3, "label": "spam"}]}
    Label.objects.create(project=project, example=Example.objects.get(external_id="a"), value=value, **more)
    assert _found(project, "label=spam") == ["a"] and _found(project, "label=ham") == []


def test_a_kept_view_goes_on_when_its_label_is_renamed(as_, filled, rosa, mona):
    view = view_save(project=filled, name="Ham", query="label=ham&sort=oldest", shared=True, by=rosa, at=NOON)
    assert (view.query, view.label.name) == ("sort=oldest", "ham")
    ham = filled.labels.get(name="ham")
    label_edit(project=filled, label_id=ham.pk, change=LabelChange(name="wanted"), by=mona, at=NOON)
    (kept,) = views_for(filled, mona)
    assert kept.address == "label=wanted&sort=oldest"
    assert _found(filled, kept.address) == ["m0", "m1"]
    assert _found(filled, "label=ham&sort=oldest") == ["m0", "m1"], "an address that was sent before the rename"
    page = as_(mona).get(f"{reverse('datasets:data', args=[filled.pk])}?{kept.address}").content.decode()
    assert 'href="?label=wanted&amp;sort=oldest" aria-current="true"' in page


def test_a_view_of_what_has_no_label_or_an_unknown_one_is_kept_as_it_was(project, rosa):
    for name, query in (("None", "label=-"), ("Strange", "label=nobody")):
        view = view_save(project=project, name=name, query=query, shared=False, by=rosa, at=NOON)
        assert (view.address, view.label) == (query, None)


def test_views_kept_by_name_before_mean_the_label_after_the_migration(filled, rosa):
    SavedView.objects.create(project=filled, by=rosa, name="Old", query="label=spam&sort=oldest", at=NOON)
    import_module("apps.datasets.migrations.0012_views_mean_labels").names_to_labels(apps, None)
    view = SavedView.objects.get()
    assert (view.query, view.label.name) == ("sort=oldest", "spam")


def test_the_page_has_a_field_for_each_range_and_says_what_it_did_not_understand(as_, filled, rosa):
    address = reverse("datasets:data", args=[filled.pk])
    page = as_(rosa).get(address, {"percent_min": "40", "added_to": "2026-11-03", "lane": "active"}).content.decode()
    assert 'name="percent_min"' in page and 'value="40"' in page and 'value="2026-11-03"' in page
    assert 'value="active" selected' in page and "is not understood" not in page
    assert "What is not understood does not narrow" in as_(rosa).get(address, {"percent_min": "x"}).content.decode()


def test_the_api_filters_alike_and_refuses_what_it_does_not_understand(filled, rosa):
    asked = {
        "label=ham": ["m1", "m0"],
        "label=-&holdout=false": ["m4", "m3"],
        "confidence_max=0.5": ["m2"],
        "added_from=2026-11-04T12:00:00Z": ["m5", "m4"],
        "labeled_to=2026-11-02&labeled=true": ["m1", "m0"],
        "lane=random&by=ada": ["m3"],
        "state=disagreed": ["m3"],
    }
    caller = api_of(rosa)
    for query, wanted in asked.items():
        found = caller.get(f"{at(filled, 'examples/')}?{query}").json()["results"]
        assert [each["external_id"] for each in found] == wanted, query
    for wrong in ("confidence_min=80", "confidence_max=much", "added_from=yesterday", "labeled_to=2026-02-30"):
        told = caller.get(f"{at(filled, 'examples/')}?{wrong}")
        assert told.status_code == 400 and wrong.split("=")[0] in told.content.decode()


def test_the_newest_come_in_the_order_of_an_index(filled):
    """Sorting a hundred thousand rows for the first fifty took half a second."""
    for query in ("", "sort=oldest", "side=holdout"):
        order = examples_listed(filled, ListingAsked(QueryDict(query))).query.order_by
        assert order in (("-id",), ("id",)), query
