"""The pages of the data, and the upload form."""

import csv
import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from apps.datasets.models import DeadLetter, Example, Ingestion
from tests.datasets.test_intake import ingest, png


def _at(name, project, *more):
    return reverse(f"datasets:{name}", args=[project.pk, *more])


def _upload(browser, project, file, **headers):
    return browser.post(reverse("loop:upload", args=[project.pk]), {"file": file} if file else {}, headers=headers)


def test_the_data_page_is_for_those_who_see_the_data(as_, project, ada, rosa, lin, mallory):
    assert as_(ada).get(_at("data", project)).status_code == 403
    assert as_(mallory).get(_at("data", project)).status_code == 404
    assert "Choose a file" not in as_(rosa).get(_at("data", project)).content.decode()
    assert "Choose a file" in as_(lin).get(_at("data", project)).content.decode()


def test_examples_are_found_by_id_words_and_side(as_, make_project, lin):
    project = make_project(holdout_share=0.5)
    ingest(project, [{"id": f"m{n}", "text": f"Grüße {n}"} for n in range(30)])
    browser = as_(lin)

    def found(**query):
        return [e.external_id for e, _ in browser.get(_at("data", project), query).context["lines"]]

    assert found(text="m17") == ["m17"]
    assert found(text="GRÜSSE 5") == [] and found(text="grüße 5") == ["m5"]
    assert set(found(side="holdout")) == set(Example.objects.filter(holdout=True).values_list("external_id", flat=True))
    assert found(text="%") == [] and found(text="\x00") != [] and len(found(side="nonsense", page="x")) == 30


def test_the_data_page_costs_the_same_queries_for_fifty_as_for_five(as_, project, lin, django_assert_num_queries):
    browser = as_(lin)
    for first in (0, 100):
        ingest(project, [{"id": str(n), "text": "x"} for n in range(first, first + (5 if not first else 45))])
        with django_assert_num_queries(16):
            browser.get(_at("data", project))


def test_an_upload_is_taken_and_waits_to_be_read(as_, project, lin, monkeypatch):
    sent = []
    monkeypatch.setattr("apps.loop.services.intake.ingestion_send", sent.append)
    answer = _upload(as_(lin), project, SimpleUploadedFile("mail.csv", b"id,text\n1,a\n"))

    ingestion = Ingestion.objects.get()
    assert answer["Location"] == _at("data", project)
    assert (ingestion.filename, ingestion.size_bytes, ingestion.state, ingestion.by) == ("mail.csv", 12, "queued", lin)
    assert sent == [ingestion.pk]


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (None, "Choose a file first."),
        (SimpleUploadedFile("mail.docx", b"x"), "is not a file we read"),
        (SimpleUploadedFile("mail.csv", b""), "is empty"),
    ],
)
def test_an_upload_that_is_not_taken_says_why_in_the_form_and_as_json(as_, project, lin, file, words):
    browser = as_(lin)
    page = _upload(browser, project, file)
    if file:
        file.seek(0)
    json = _upload(browser, project, file, accept="application/json")

    assert (page.status_code, json.status_code) == (422, 422)
    assert words in page.content.decode() and words in json.json()["error"]
    assert not Ingestion.objects.exists()


def test_a_body_that_is_no_form_is_refused(as_, project, lin):
    answer = as_(lin).post(
        reverse("loop:upload", args=[project.pk]),
        data=b"id,text\n",
        content_type="text/csv",
        headers={"accept": "application/json"},
    )
    assert answer.status_code == 422 and "multipart/form-data" in answer.json()["error"]


def test_whoever_may_not_add_examples_uploads_nothing(as_, project, ada, rosa):
    for person in (ada, rosa):
        assert _upload(as_(person), project, SimpleUploadedFile("a.csv", b"id,text\n1,a")).status_code == 403
    assert not Ingestion.objects.exists()


def test_refused_rows_are_listed_filtered_and_downloaded(as_, make_project, lin, mallory):
    project, other = make_project(), make_project()
    first = ingest(project, [{"id": "a"}, {"id": "=cmd()", "text": ""}])
    ingest(project, [{"id": "c"}])
    ingest(other, [{"id": "secret"}])
    browser = as_(lin)

    page = browser.get(_at("dead_letters", project), {"ingestion": first.pk})
    assert [x.external_id for x in page.context["page"]] == ["a", "=cmd()"]
    assert browser.get(_at("dead_letters", project), {"ingestion": "9" * 30}).status_code == 200

    answer = browser.get(_at("dead_letters", project), {"csv": "1", "ingestion": first.pk})
    assert answer["Content-Disposition"] == f'attachment; filename="refused-{project.slug}.csv"'


def test_the_download_holds_every_row_and_no_formula(as_, make_project, lin):
    project = make_project()
    ingest(project, [{"id": "a"}, {"id": "=cmd()", "text": ""}])
    answer = as_(lin).get(_at("dead_letters", project), {"csv": "1"})
    lines = list(csv.DictReader(io.StringIO(b"".join(answer).decode())))

    assert [(line["row"], line["id"]) for line in lines] == [("1", "a"), ("2", "'=cmd()")]
    assert lines[0]["raw"] == '{"id": "a"}'
    assert DeadLetter.objects.count() == 2


def test_an_image_is_for_members_only_and_stays_in_their_browser(as_, make_project, ada, lin, mallory):
    project, other = make_project("image-classification"), make_project("image-classification")
    ingest(project, [{"id": "a", "image": png()}])
    example = Example.objects.get()

    for person in (ada, lin):
        answer = as_(person).get(_at("image", project, example.pk))
        assert (answer.content, answer["Content-Type"]) == (png(), "image/png")
        assert answer["Cache-Control"].startswith("private")
    assert as_(mallory).get(_at("image", project, example.pk)).status_code == 404
    assert as_(ada).get(_at("image", other, example.pk)).status_code == 404


def test_fragments_are_the_parts_of_the_page(as_, project, lin):
    ingest(project, [{"id": "a", "text": "x"}, {"id": "b"}])
    browser = as_(lin)
    page = browser.get(_at("data", project)).content.decode()
    for name in ("counts", "ingestions"):
        fragment = browser.get(_at(name, project), headers={"hx-request": "true"}).content.decode()
        assert f'id="{name}"' in fragment and "<html" not in fragment
        assert fragment.split("hx-get")[1].split(">")[0] in page
