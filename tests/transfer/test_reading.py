"""Files of others, and files that are broken: one sentence for each fault, the good rows taken, nothing half stored."""

import io
import json
import zipfile

import pytest
from PIL import Image

from apps.datasets.models import DeadLetter, Example
from apps.datasets.readers import FileUnreadable
from apps.labeling.models import Annotation, GoldItem, ImportedPrediction, Label, Review
from apps.transfer.formats.coco import parsing as coco
from tests.transfer.conftest import taken


def reasons() -> list[str]:
    return list(DeadLetter.objects.order_by("row_number").values_list("reason", flat=True))


def labels() -> dict[str, object]:
    return {x.example.external_id: x.value or x.label.name for x in Label.objects.select_related("label", "example")}


def tasks(*items: object) -> bytes:
    return json.dumps(items).encode()


def ner(text: str, start: int, end: int, said: str | None, label: str = "PER", **more: object) -> dict[str, object]:
    value = {"start": start, "end": end, "labels": [label]} | ({"text": said} if said is not None else {})
    result = [{"id": "a", "from_name": "ner", "to_name": "t", "type": "labels", "value": value}]
    return {
        "data": {"text": text, "id": more.pop("id", "x")},
        "annotations": [{"completed_by": 1, "result": result, **more}],
    }


@pytest.fixture
def spans(make_project):
    return make_project("text-spans", labels=("PER", "ORG"))


@pytest.fixture
def boxes(make_project):
    return make_project("image-boxes", labels=("cat", "dog"))


# Label Studio


def choices(*names: str, kind: str = "choices", **more: object) -> dict[str, object]:
    return {"result": [{"type": kind, "from_name": "l", "to_name": "t", "value": {"choices": list(names)}}], **more}


def test_an_export_of_label_studio_is_read_with_people_skips_known_answers_and_guesses(project, ada):
    ada.email = "ada@example.org"
    ada.save()
    done = taken(
        project,
        tasks(
            {
                "id": 7,
                "data": {"text": "a"},
                "annotations": [choices("ham", completed_by={"id": 3, "email": "Ada@Example.org"}, lead_time=1.5)],
                "predictions": [48004],
                "total_annotations": 1,
                "comment_authors": [],
            },
            {
                "id": 8,
                "data": {"text": "b"},
                "annotations": [choices("spam", completed_by=99), choices("spam", completed_by="who")],
            },
            {
                "id": 9,
                "data": {"text": "c"},
                "annotations": [{"was_cancelled": True, "result": [], "completed_by": "ada"}],
            },
            {"id": 10, "data": {"text": "d"}, "annotations": [choices("ham", ground_truth=True, completed_by=1)]},
            {"data": {"text": "e", "id": "mine"}, "predictions": [choices("spam", model_version="v1", score=0.7)]},
            {"text": "bare"},
        ),
        "export.json",
    )

    assert (done.rows_taken, done.rows_refused) == (6, 0)
    assert labels() == {"7": "ham", "8": "spam", "10": "ham"}
    assert set(
        Annotation.objects.values_list("example__external_id", "annotator__username", "skip_reason", "active_ms")
    ) == {("7", "ada", "", 1500), ("9", "ada", "unclear", 0)}
    assert GoldItem.objects.get().example.external_id == "10"
    assert ImportedPrediction.objects.get().confidence == 0.7
    assert Example.objects.filter(fields={"text": "bare"}).exists()


@pytest.mark.parametrize(
    ("text", "start", "end", "said", "expected"),
    [
        ("Ada worked", 0, 3, "Ada", (0, 3)),
        ("👩‍👩‍👧 Ada", 6, 9, "Ada", (6, 9)),  # code points, as today
        ("👩‍👩‍👧 Ada", 9, 12, "Ada", (6, 9)),  # UTF-16 units, as old servers counted
        ("Ada worked", 0, 3, None, (0, 3)),
    ],
)
def test_spans_are_found_whichever_way_they_were_counted(spans, text, start, end, said, expected):
    taken(spans, tasks(ner(text, start, end, said)), "a.json")
    assert labels() == {"x": {"spans": [{"start": expected[0], "end": expected[1], "label": "PER"}]}}


@pytest.mark.parametrize(
    ("task", "words"),
    [
        (ner("Ada", 0, 9, None), "does not lie in the text of 3 characters"),
        (ner("Ada and Bob", 0, 3, "Bob"), "should read “Bob”, but the text reads “Ada” there"),
        (ner("Ada", 0, 3, "Ada", label="EGG"), "“EGG” is not in the project’s labels"),
        (
            {"data": {"text": "x", "id": "x"}, "annotations": [choices("ham")]},
            "holds a “choices”; this project keeps “labels” only",
        ),
        (
            {"data": {"text": "x", "id": "x"}, "annotations": [{"result": [{"type": "labels", "value": {}}]}]},
            "The “start” of a span is a whole number of characters, not None.",
        ),
        ("text", "not an object"),
    ],
)
def test_a_task_that_does_not_fit_is_kept_with_its_reason_and_nothing_of_it_is_stored(spans, task, words):
    good = ner("Ada", 0, 3, "Ada", id="good")
    done = taken(spans, tasks(task, good), "a.json")
    assert (done.rows_taken, done.rows_refused) == (1, 1)
    assert words in reasons()[0]
    assert set(labels()) == {"good"} == set(Example.objects.values_list("external_id", flat=True))


def test_people_outside_the_project_who_disagree_make_no_label(project):
    task = {
        "id": 1,
        "data": {"text": "a"},
        "annotations": [choices("ham", completed_by=1), choices("spam", completed_by=2)],
    }
    taken(project, tasks(task), "a.json")
    assert "2 answers by people who are no members of the project disagree" in reasons()[0]
    assert not Example.objects.exists()


def test_members_who_disagree_open_a_review(project):
    row = {"id": "a", "text": "x", "answers": [{"by": "ada", "value": "ham"}, {"by": "grace", "value": "spam"}]}
    taken(project, json.dumps(row).encode(), "a.jsonl")
    assert Annotation.objects.count() == 2 and labels() == {} and Review.objects.get().why == "disagreement"


def test_a_list_that_breaks_off_keeps_what_came_before_and_says_where(project):
    content = tasks({"data": {"text": "a", "id": "a"}})[:-1] + b', {"data": {"text": '
    done = taken(project, content, "a.json")
    assert (done.rows_taken, done.rows_refused) == (1, 1)
    assert reasons()[0].startswith("The JSON breaks off at character ")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"  \n ", "empty"),
        (b"nonsense", "not a JSON list"),
        (b'"text"', "not a JSON list"),
        (b"{}", "cannot carry"),
        ("[]".encode("utf-16"), "not UTF-8"),
        (b"<html><script>alert(1)</script></html>", "not a JSON list"),
        (b"<?xml version='1.0'?><a/>", "not a JSON list"),
    ],
)
def test_a_file_that_is_no_list_of_tasks_is_refused_as_a_whole(project, content, words):
    with pytest.raises(FileUnreadable, match=words):
        taken(project, content, "a.json")
    assert not Example.objects.exists()


# CoNLL


def test_a_file_of_others_is_read_sentence_by_sentence_and_an_i_that_continues_nothing_begins(spans):
    content = "-DOCSTART- -X- O O\n\nAda NNP B-PER\nLove NNP I-PER\nworks VB O\n\nat I-ORG\nAcme I-ORG\nBob B-PER\nEve B-PER\n"
    taken(spans, content.encode(), "a.conll")
    assert sorted(
        (x.example.fields["text"], tuple((s["start"], s["end"], s["label"]) for s in x.value["spans"]))
        for x in Label.objects.all()
    ) == [("Ada Love works", ((0, 8, "PER"),)), ("at Acme Bob Eve", ((0, 7, "ORG"), (8, 11, "PER"), (12, 15, "PER")))]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"Ada\n", "Line 1 has no tag"),
        (b"Ada X-PER\n", "“X-PER” in line 1 is neither O nor B- or I-"),
        (b"Ada B-EGG\n", "“EGG” is not in the project"),
        (b'# text = "Bob"\nAda\tB-PER\n', "“Ada” in line 2 is not in the text"),
        (b"good O\n\nAda \xff B-PER\n", "Line 3 is not UTF-8"),
    ],
)
def test_a_sentence_with_a_fault_is_kept_with_its_line(spans, content, words):
    done = taken(spans, content, "a.conll")
    assert done.rows_refused == 1 and words in reasons()[0]


# COCO


def picture(side: int = 20, kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (side, side), (200, 10, 10)).save(out, kind)
    return out.getvalue()


def coco_json(boxes: list[object], **image: object) -> dict[str, object]:
    return {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 20, "height": 20, **image}],
        "categories": [{"id": 5, "name": "cat"}, {"id": 6, "name": "cow"}],
        "annotations": [{"id": n, "image_id": 1, "category_id": 5, "bbox": b, "area": 1} for n, b in enumerate(boxes)],
    }


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def test_a_zip_of_others_is_read_with_its_jpegs(boxes):
    content = zipped(
        {
            "annotations/instances.json": json.dumps(coco_json([[1, 2, 3.5, 4]])).encode(),
            "train/a.jpg": picture(kind="JPEG"),
        }
    )
    taken(boxes, content, "set.zip")
    assert reasons() == []
    assert labels() == {"a.jpg": {"boxes": [{"x": 1.0, "y": 2.0, "width": 3.5, "height": 4.0, "label": "cat"}]}}
    assert bytes(Example.objects.get().blob.content) == picture(kind="JPEG")


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (coco_json([[15, 15, 10, 10]]), "reaches outside the image of 20 by 20 pixels"),
        (coco_json([[1, 1, 0.1, 5]]), "at least one pixel wide"),
        (coco_json(["nonsense"]), "bbox"),
        (coco_json([[1, 1, None, 5]]), "numbers of pixels"),
        (coco_json([[1, 1, 2, 2]]) | {"categories": []}, "category 5, which the file does not list"),
    ],
)
def test_boxes_that_do_not_fit_refuse_their_image_in_words(boxes, found, words):
    taken(boxes, zipped({"a.json": json.dumps(found).encode(), "a.jpg": picture(kind="JPEG")}), "set.zip")
    assert words in reasons()[0] and not Example.objects.exists()


def test_an_annotation_of_an_image_that_is_not_listed_is_kept(boxes):
    found = coco_json([]) | {"annotations": [{"id": 1, "image_id": 77, "category_id": 5, "bbox": [1, 1, 2, 2]}]}
    done = taken(boxes, zipped({"a.json": json.dumps(found).encode(), "a.jpg": picture()}), "set.zip")
    assert (done.rows_taken, reasons()) == (1, ["The annotation names an image that the file does not list."])
    assert labels() == {}  # without a box and without “labeled” nobody has looked


def test_a_zip_that_would_never_end_is_refused_before_it_is_unpacked(boxes):
    with pytest.raises(FileUnreadable, match="would unpack from"):
        taken(boxes, zipped({"a.json": b"{}" + b" " * 150_000_000}), "bomb.zip")


def test_an_entry_that_lies_about_its_size_is_read_no_further_than_allowed(boxes, monkeypatch):
    monkeypatch.setattr(coco, "MOST_IMAGE", 10)
    taken(boxes, zipped({"a.json": json.dumps(coco_json([])).encode(), "a.jpg": picture()}), "set.zip")
    assert "“a.jpg” in the ZIP has more than" in reasons()[0] and not Example.objects.exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK rubbish", "ZIP is broken"),
        (zipped({"a.txt": b"x"}), "0 JSON files"),
        (zipped({"a.json": b"[]"}), "not COCO"),
        (b"{nonsense", "not JSON"),
        (b'{"a": 1}', "not COCO"),
    ],
)
def test_a_broken_archive_is_refused_as_a_whole(boxes, content, words):
    with pytest.raises(FileUnreadable, match=words):
        taken(boxes, content, "set.zip")


def test_a_format_that_the_project_cannot_have_is_refused(project):
    with pytest.raises(FileUnreadable, match="CoNLL cannot carry what this project labels"):
        taken(project, b"Ada O\n", "a.conll")


# Tables


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"answer.by": "ada", "answer.value": "eggs"}, "“eggs” is not in"),
        ({"answer.by": "ada"}, "either a value or a reason to skip"),
        ({"answer.by": "ada", "answer.skip": "bored"}, "“bored” is not one of"),
        ({"answer.by": "ada", "answer.value": "ham", "answer.flagged": "maybe"}, "“flagged” is true or false"),
        ({"answer.by": "ada", "answer.value": "ham", "answer.at": "noon"}, "“at” is not a moment"),
        ({"answer.by": "ada", "answer.value": "ham", "answer.comment": "a\x00b"}, "NUL"),
        ({"prediction.value": "ham", "prediction.confidence": 7}, "“confidence” is a number from 0 to 1"),
        ({"prediction.model": "m"}, "A prediction needs its value"),
        ({"answers": [{"by": "ada", "value": "ham"}, {"by": "ada", "value": "ham"}]}, "two answers of one person"),
        ({"gold.value": "eggs"}, "“eggs” is not in"),
    ],
)
def test_a_row_with_a_fault_beside_its_example_is_refused_whole(project, row, words):
    done = taken(project, json.dumps({"id": "a", "text": "x", **row}).encode(), "a.jsonl")
    assert (done.rows_taken, done.rows_refused) == (0, 1)
    assert words in reasons()[0] and not Example.objects.exists()


def test_labels_answers_and_guesses_for_what_is_here_need_only_the_id(project):
    taken(project, b'{"id": "a", "text": "x"}\n{"id": "b", "text": "y"}', "a.jsonl")
    guess = b'{"id": "b", "prediction.value": "spam", "prediction.model": "m"}'
    rows = b'{"id": "a", "label": "ham"}\n' + guess + b'\n{"id": "c", "label": "ham"}'
    done = taken(project, rows, "b.jsonl")
    assert (done.rows_taken, done.rows_known, done.rows_refused) == (2, 0, 1)
    assert labels() == {"a": "ham"} and "“text” is missing" in reasons()[0]
    again = taken(project, rows, "b.jsonl")
    assert (again.rows_taken, again.rows_known) == (0, 2)


def test_an_apostrophe_in_a_file_of_others_is_an_apostrophe(project):
    taken(project, b"id,text\n1,'=quoted\n", "a.csv")
    assert Example.objects.get().fields == {"text": "'=quoted"}
