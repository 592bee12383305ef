"""The mapping step: a file whose columns nobody knows asks once, is read as somebody said, and the next one needs no word."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from apps.audit.models import Event
from apps.datasets.models import ColumnMapping, DeadLetter, Example, Ingestion
from apps.labeling.models import Label
from apps.loop import services
from apps.loop.services import intake
from tests.api import api_of, at

MAIL = b"message,category,noise\nThe tram was late,ham,1\nParcel came early,spam,2\n"


@pytest.fixture(autouse=True)
def sent(monkeypatch):
    """Each file is read at once, as a worker would."""
    read = []

    def now(ingestion_id):
        read.append(ingestion_id)
        services.ingestion_read(ingestion_id=ingestion_id)

    monkeypatch.setattr(intake, "ingestion_send", now)
    monkeypatch.setattr(intake, "examples_follow_up", lambda project, at: None)
    return read


def upload(browser, project, content, name="mail.csv", **headers):
    url = reverse("loop:upload", args=[project.pk])
    return browser.post(url, {"file": SimpleUploadedFile(name, content)}, headers=headers)


def test_a_first_file_asks_and_is_read_as_somebody_said_and_the_next_needs_no_word(as_, project, mona, sent):
    browser = as_(mona)
    answer = upload(browser, project, MAIL, accept="application/json")
    place = answer.json()["columns"]
    assert (answer.status_code, sent, Ingestion.objects.get().state) == (202, [], "mapping")

    page = browser.get(place)
    words = page.content.decode()
    assert {c: r for c, r, _ in page.context["lines"]} == {"message": "text", "category": "label", "noise": "ignore"}
    assert page.context["make_ids"] is True and "The tram was late" in words

    roles = {"column": ["message", "category", "noise"], "role": ["text", "label", "ignore"], "make_ids": "on"}
    assert browser.post(place, roles)["Location"] == reverse("datasets:data", args=[project.pk])
    assert set(Example.objects.values_list("fields__text", flat=True)) == {"The tram was late", "Parcel came early"}
    assert set(Label.objects.values_list("label__name", flat=True)) == {"ham", "spam"}
    assert all(
        name.startswith("row-") and len(name) == 24 for name in Example.objects.values_list("external_id", flat=True)
    )

    again = upload(browser, project, MAIL + b"Soup was cold,ham,3\n", accept="application/json")
    assert again.json()["columns"] == ""
    newest = Ingestion.objects.first()
    assert (newest.rows_taken, newest.rows_known, newest.left_out) == (1, 2, {"noise": "ignored"})
    assert Event.objects.filter(verb="columns.set").count() == 1


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"id,text\n1,a\n", "a.csv"),
        (b"id,label\n1,ham\n", "a.csv"),
        (b'{"external_id": 1, "text": "a"}', "a.jsonl"),
        (b"not a parquet file", "a.parquet"),
        (b'[{"data": {"text": "a"}, "id": 1}]', "a.json"),
    ],
)
def test_a_file_that_needs_no_mapping_goes_through_as_before(as_, project, mona, sent, content, name):
    assert upload(as_(mona), project, content, name, accept="application/json").json()["columns"] == ""
    assert sent == [Ingestion.objects.get().pk]


def test_a_table_asks_for_its_id_only_and_a_group_stands_on_one_side(as_, make_project, mona):
    project = make_project("tabular-classification", holdout_share=0.5)
    rows = "".join(f"{n},{'ABCDEFGH'[n % 8]}\n" for n in range(80))
    answer = upload(as_(mona), project, f"age,team\n{rows}".encode(), accept="application/json")
    place = answer.json()["columns"]
    as_(mona).post(place, {"column": ["age", "team"], "role": ["feature", "group"], "make_ids": "on"})
    assert {tuple(f["features"]) for f in Example.objects.values_list("fields", flat=True)} == {("age",)}
    sides = {}
    for fields, holdout in Example.objects.values_list("fields", "holdout"):
        sides.setdefault(int(fields["features"]["age"]) % 8, set()).add(holdout)
    assert all(len(side) == 1 for side in sides.values()) and len({*map(tuple, sides.values())}) == 2


def test_two_columns_of_one_role_are_refused_and_the_file_still_waits(as_, project, mona, sent):
    place = upload(as_(mona), project, MAIL, accept="application/json").json()["columns"]
    answer = as_(mona).post(place, {"column": ["message", "noise"], "role": ["text", "text"]})
    assert answer.status_code == 422 and "Two columns are given as" in answer.content.decode()
    assert sent == [] and not ColumnMapping.objects.exists()


def test_a_file_that_waits_can_be_let_go_and_ends_in_words(as_, project, mona, sent):
    upload(as_(mona), project, MAIL)
    as_(mona).post(reverse("loop:upload_drop", args=[project.pk, Ingestion.objects.get().pk]))
    found = Ingestion.objects.get()
    assert (found.state, found.error) == ("failed", "It was not read: nobody said what its columns are.")


def test_the_mapping_is_said_read_and_forgotten_over_the_api(project, mona, lin, as_):
    api = api_of(mona)
    body = {"roles": {"message": "text", "category": "label"}, "make_ids": True}
    assert api.put(at(project, "mapping/"), body, format="json").json() == body
    assert api_of(lin).get(at(project, "mapping/")).json() == body
    taken = api.post(
        at(project, "examples/"), {"examples": [{"message": "x", "category": "ham"}]}, format="json"
    ).json()
    assert (taken["rows_taken"], Label.objects.get().label.name) == (1, "ham")
    wrong = api.put(at(project, "mapping/"), {"roles": {"message": "poem"}}, format="json")
    assert wrong.status_code == 422 and "poem" in wrong.json()["detail"]
    assert "message" in as_(mona).get(reverse("loop:columns", args=[project.pk])).content.decode()
    assert api.delete(at(project, "mapping/")).status_code == 204
    assert api.get(at(project, "mapping/")).json() == {"roles": {}, "make_ids": False}


def test_an_upload_whose_rows_were_refused_is_red_with_the_commonest_reason(as_, project, mona):
    upload(as_(mona), project, b"id,text\n,a\n,b\n1,\n")
    words = as_(mona).get(reverse("datasets:ingestions", args=[project.pk])).content.decode()
    assert DeadLetter.objects.count() == 3
    assert "2 rows: The row has no “id” (or “external_id”)." in words and "Refused" in words and "Done" not in words
    upload(as_(mona), project, b"id,text\n7,a\n,b\n")
    words = as_(mona).get(reverse("datasets:ingestions", args=[project.pk])).content.decode()
    assert "Partly refused" in words and "1 row: The row has no" in words


def test_the_list_of_examples_looks_again_after_an_upload_and_leads_to_the_desk(as_, project, mona):
    url = reverse("datasets:data", args=[project.pk])
    assert "Start labeling" not in as_(mona).get(url).content.decode()
    upload(as_(mona), project, b"id,text\n7,a\n")
    words = as_(mona).get(url).content.decode()
    assert "Start labeling" in words and 'hx-select="#examples-list"' in words
