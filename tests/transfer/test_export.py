"""Taking answers out, as a page and over the API."""

import csv
import io

import orjson
import pytest
from django.urls import reverse

from apps.audit.models import Event
from tests.transfer.conftest import taken

ROWS = b"""{"id": "a", "text": "=cmd", "label": "ham", "answers": [{"by": "ada", "value": "ham", "at": "2026-11-01T09:00:00Z"}]}
{"id": "b", "text": "win", "predictions": [{"model": "m1", "value": "spam", "confidence": 0.9}]}
"""


def _file(browser, project, **query):
    return browser.get(reverse("transfer:file", args=[project.pk]), query)


def test_whoever_sees_the_data_takes_it_out_and_the_trail_says_so(as_, project, rosa):
    taken(project, ROWS, "a.jsonl")
    answer = _file(as_(rosa), project, **{"as": "csv", "what": "annotations"})
    (row,) = csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode()))

    assert answer["Content-Disposition"].startswith(f'attachment; filename="{project.slug}-annotations-')
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert (row["id"], row["text"], row["answer.by"], row["answer.value"]) == ("a", "'=cmd", "ada", "ham")
    assert Event.objects.get(verb="data.exported").sentence == "Rosa exported the annotations as CSV."


def test_the_api_gives_the_same_file(as_, project, lin):
    taken(project, ROWS, "a.jsonl")
    answer = as_(lin).get(reverse("api-export", args=[project.pk]), {"what": "predictions"})
    (row,) = [orjson.loads(line) for line in b"".join(answer.streaming_content).splitlines()]
    assert (row["id"], row["prediction.value"], row["prediction.model"], row["prediction.confidence"]) == (
        "b",
        "spam",
        "m1",
        0.9,
    )


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"as": "coco"}, "“coco” is not a format for this project. There are jsonl, csv, parquet, label-studio."),
        ({"as": "exe"}, "“exe” is not a format"),
        ({"what": "secrets"}, "“secrets” cannot be exported"),
    ],
)
def test_what_cannot_be_exported_is_said_in_words_and_leaves_no_trail(as_, project, lin, query, words):
    assert words in _file(as_(lin), project, **query).content.decode()
    assert not Event.objects.filter(verb="data.exported").exists()


def test_a_format_that_carries_labels_only_says_what_carries_the_rest(as_, make_project, lin):
    spans = make_project("text-spans")
    page = _file(as_(lin), spans, **{"as": "conll", "what": "annotations"})
    assert page.status_code == 422
    assert "CoNLL carries labels only. Take JSONL, CSV or Parquet for annotations." in page.content.decode()


def test_an_annotator_and_a_stranger_take_nothing_out(as_, project, ada, mallory):
    for name in ("transfer:export", "transfer:file"):
        assert as_(ada).get(reverse(name, args=[project.pk])).status_code == 403
        assert as_(mallory).get(reverse(name, args=[project.pk])).status_code == 404


def test_the_page_offers_what_the_project_has(as_, make_project, rosa):
    project = make_project("image-boxes")
    page = as_(rosa).get(reverse("transfer:export", args=[project.pk])).content.decode()
    assert 'value="coco"' in page and 'value="conll"' not in page
    assert "Nobody has exported anything yet." in page
