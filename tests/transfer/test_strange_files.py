"""Files that lie about sizes, turns, ids and types: converted or refused in words, and never passed over."""

import base64
import io
import json
import zipfile
from typing import Any

import pytest
from PIL import Image

from apps.datasets.models import DeadLetter, Example
from apps.datasets.readers import FileUnreadable
from apps.labeling.models import Label
from apps.transfer.sizes import in_own_pixels
from tests.transfer.conftest import taken


def reasons() -> list[str]:
    return list(DeadLetter.objects.order_by("row_number").values_list("reason", flat=True))


def labels() -> dict[str, Any]:
    return {x.example.external_id: x.value or x.label.name for x in Label.objects.select_related("label", "example")}


def encoded(width: int = 40, height: int = 30, *, kind: str = "PNG", orientation: int = 0) -> bytes:
    out, exif = io.BytesIO(), Image.Exif()
    if orientation:
        exif[0x0112] = orientation
    Image.new("RGB", (width, height), (200, 10, 10)).save(out, kind, **({"exif": exif} if orientation else {}))
    return out.getvalue()


@pytest.fixture
def boxes(make_project):
    return make_project("image-boxes", labels=("cat", "dog"))


# COCO


def coco(*bboxes: Any, file_name: str = "a.png", **more: Any) -> dict[str, Any]:
    image = {"id": 1, "file_name": file_name, "width": 40, "height": 30, **more}
    found = [{"id": n, "image_id": 1, "category_id": 1, "bbox": box} for n, box in enumerate(bboxes)]
    return {"images": [image], "annotations": found, "categories": [{"id": 1, "name": "cat"}]}


def archive(found: Any, **files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr("annotations.json", found if isinstance(found, str) else json.dumps(found))
        for name, content in files.items():
            made.writestr(name, content)
    return out.getvalue()


def box(x: float, y: float, width: float, height: float, label: str = "cat") -> dict[str, Any]:
    return {"x": x, "y": y, "width": width, "height": height, "label": label}


@pytest.mark.parametrize(
    ("said", "content", "drawn", "kept"),
    [
        ((40, 30), encoded(), [2, 3, 10, 12], box(2.0, 3.0, 10.0, 12.0)),
        ((20, 15), encoded(), [2, 2, 10, 10], box(4.0, 4.0, 20.0, 20.0)),
        ((80, 60), encoded(), [2, 2, 10, 10], box(1.0, 1.0, 5.0, 5.0)),
        ((30, 40), encoded(kind="JPEG", orientation=6), [5, 20, 10, 15], box(5.0, 20.0, 10.0, 15.0)),
        ((40, 30), encoded(kind="JPEG", orientation=6), [20, 5, 15, 10], box(15.0, 20.0, 10.0, 15.0)),
        ((40, 30), encoded(kind="WEBP", orientation=8), [20, 5, 15, 10], box(5.0, 5.0, 10.0, 15.0)),
        ((20, 15), encoded(kind="JPEG", orientation=5), [10, 2, 5, 3], box(4.0, 20.0, 6.0, 10.0)),
        ((None, None), encoded(), [2, 3, 10, 12], box(2.0, 3.0, 10.0, 12.0)),
    ],
    ids=["equal", "smaller", "larger", "upright", "lying", "lying, other way", "lying and smaller", "not said"],
)
def test_a_box_lies_where_it_was_drawn_whatever_size_the_file_says(boxes, said, content, drawn, kept):
    found = coco(drawn, width=said[0], height=said[1])
    taken(boxes, archive(found, **{"a.png": content}), "set.zip")
    assert reasons() == []
    assert labels() == {"a.png": {"boxes": [kept]}}
    assert bytes(Example.objects.get().blob.content) == content


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ((20, 17), "The file says that the picture has 20 by 17 pixels, but it has 40 by 30."),
        ((30, 40), "has 30 by 40 pixels, but it has 40 by 30."),
        ((0, 30), "two numbers above zero"),
        (("40", 30), "two numbers above zero"),
        ((40, None), "two numbers above zero"),
        (([40], {}), "two numbers above zero"),
    ],
)
def test_a_size_that_nothing_explains_is_refused_naming_both(boxes, said, words):
    taken(boxes, archive(coco([2, 2, 10, 10], width=said[0], height=said[1]), **{"a.png": encoded()}), "set.zip")
    assert words in reasons()[0]
    assert not Example.objects.exists()


def test_labels_that_come_later_without_the_image_are_scaled_too(boxes):
    taken(boxes, archive(coco() | {"annotations": []}, **{"a.png": encoded()}), "set.zip")
    taken(boxes, json.dumps(coco([2, 2, 10, 10], width=20, height=15)).encode(), "labels.json")
    assert labels() == {"a.png": {"boxes": [box(4.0, 4.0, 20.0, 20.0)]}}


@pytest.mark.parametrize(
    ("named", "stored"),
    [
        ("day1\\a.png", "day1/a.png"),
        ("day1/a.png", "day1\\a.png"),
        ("./day1/a.png", "day1/a.png"),
        ("a.png", "set/day1/a.png"),
        ("day1/a.png", "set/day1/a.png"),
        ("C:\\photos\\a.png", "a.png"),
        ("cafe\u0301.png", "caf\u00e9.png"),
    ],
)
def test_an_image_is_found_however_its_path_is_spelled(boxes, named, stored):
    taken(boxes, archive(coco([2, 3, 10, 12], file_name=named), **{stored: encoded()}), "set.zip")
    assert reasons() == []
    assert Example.objects.get().external_id == named


def test_of_two_files_of_one_name_the_path_decides_and_without_it_neither_is_taken(boxes):
    files = {"day1/a.png": encoded(), "day2/a.png": encoded(80, 60)}
    taken(boxes, archive(coco([2, 3, 10, 12], file_name="day2\\a.png", width=80, height=60), **files), "set.zip")
    assert Example.objects.get().fields == {"width": 80, "height": 60}
    taken(boxes, archive(coco([2, 3, 10, 12]), **files), "set.zip")
    assert reasons() == ["“a.png” is in 2 folders of the ZIP; the JSON must say in which."]


@pytest.mark.parametrize("content", [archive(coco(), **{"b.png": encoded()}), json.dumps(coco()).encode()])
def test_a_file_that_did_not_come_is_named(boxes, content):
    taken(boxes, content, "set.zip" if content.startswith(b"PK") else "set.json")
    assert reasons() == ["The image “a.png” did not come with the file."]


def test_a_turned_box_and_one_image_id_twice_are_refused_in_words(boxes):
    found = coco([2, 3, 10, 12])
    found["annotations"][0]["attributes"] = {"rotation": 30.0}
    taken(boxes, archive(found, **{"a.png": encoded()}), "set.zip")
    twice = coco([2, 3, 10, 12])
    twice["images"].append({**twice["images"][0], "file_name": "b.png"})
    taken(boxes, archive(twice, **{"a.png": encoded(), "b.png": encoded()}), "set.zip")
    assert reasons() == ["A box is rotated; only upright boxes fit.", "The id 1 stands at two images of the file."]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"categories": 5}, "“categories” is no list"),
        ({"categories": [{"id": []}]}, "a category needs an id and a name"),
        ({"categories": [{"id": 1, "name": 5}]}, "a category needs an id and a name"),
        ({"categories": [5]}, "a category needs an id and a name"),
        ({"categories": [{"id": 1, "name": "cat"}, {"id": 1, "name": "dog"}]}, "The category 1 stands twice"),
        ({"annotations": 5}, "“annotations” is no list"),
        ({"annotations": {"1": []}}, "“annotations” is no list"),
        ({"images": {}}, "it has no list “images”"),
    ],
)
def test_a_file_of_wrong_types_ends_in_words(boxes, change, words):
    with pytest.raises(FileUnreadable, match=words):
        taken(boxes, json.dumps(coco([1, 2, 3, 4]) | change).encode(), "set.json")


DEEP: Any = 0
for _ in range(900):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    "image", [5, None, "a.png", [], {}, {"id": []}, {"id": {}}, {"id": True}, {"id": 1.5}, {"id": 1, "file_name": DEEP}]
)
def test_an_image_of_the_wrong_type_is_one_dead_letter(boxes, image):
    taken(boxes, json.dumps(coco([1, 2, 3, 4]) | {"images": [image]}).encode(), "set.json")
    assert len(reasons()) >= 1
    assert not Example.objects.exists()


@pytest.mark.parametrize(
    "annotation",
    [
        5,
        None,
        [],
        {"image_id": [1]},
        {"image_id": {}},
        {"image_id": 1},
        {"image_id": 1, "category_id": []},
        {"image_id": 1, "category_id": 1, "bbox": 5},
        {"image_id": 1, "category_id": 1, "bbox": None},
        {"image_id": 1, "category_id": 1, "bbox": [1, 2]},
        {"image_id": 1, "category_id": 1, "bbox": [DEEP, 1, 1, 1]},
        {"image_id": 1, "category_id": 1, "bbox": ["1", 1, 1, 1]},
    ],
)
def test_an_annotation_of_the_wrong_type_is_kept_with_a_reason(boxes, annotation):
    found = coco() | {"annotations": [annotation]}
    taken(boxes, archive(found, **{"a.png": encoded()}), "set.zip")
    assert len(reasons()) == 1


def test_a_number_without_end_is_no_json(boxes):
    text = json.dumps(coco([1e400, 2, 3, 4])).replace("Infinity", "1e999")
    with pytest.raises(FileUnreadable, match="The file is not JSON: number is infinity"):
        taken(boxes, archive(text, **{"a.png": encoded()}), "set.zip")


def test_an_id_is_one_id_as_a_number_and_as_text(boxes):
    found = coco([2, 3, 10, 12])
    found["categories"][0]["id"], found["annotations"][0]["image_id"] = "1", 1.0
    taken(boxes, archive(found, **{"a.png": encoded()}), "set.zip")
    assert labels() == {"a.png": {"boxes": [box(2.0, 3.0, 10.0, 12.0)]}}


def test_points_turn_with_their_picture():
    """A mark at the raw upper left corner goes where Pillow's own turn puts that corner."""
    corners = {5: (0.0, 0.0), 6: (29.0, 0.0), 7: (29.0, 39.0), 8: (0.0, 39.0)}
    for orientation, (x, y) in corners.items():
        said = {"boxes": [box(0, 0, 1, 1)], "said_size": [40, 30]}
        (found,) = in_own_pixels(said, {"width": 30, "height": 40, "orientation": orientation})["boxes"]
        assert (found["x"], found["y"]) == (x, y), orientation


# Label Studio


def task(number: int, data: Any, *answers: Any, **more: Any) -> dict[str, Any]:
    return {"id": number, "data": data, "annotations": list(answers), "predictions": [], **more}


def choice(name: str, **more: Any) -> dict[str, Any]:
    return {"result": [{"type": "choices", "value": {"choices": [name]}}], "was_cancelled": False, **more}


def rectangle(**more: Any) -> dict[str, Any]:
    value = {"x": 0, "y": 0, "width": 25, "height": 50, "rotation": 0, "rectanglelabels": ["cat"]}
    value |= {k: more.pop(k) for k in list(more) if k in value}
    size = {"original_width": 40, "original_height": 30, "image_rotation": 0}
    return {"result": [{"type": "rectanglelabels", "value": value, **size, **more}]}


def data_url(content: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(content).decode()}"


def sent(*tasks: Any) -> bytes:
    return json.dumps(tasks).encode()


def test_an_id_of_zero_counts_as_every_other(project):
    found = [task(n + 1, {"id": n, "text": f"text {n}"}, choice("ham" if n else "spam")) for n in range(4)]
    taken(project, sent(*found), "tasks.json")
    assert labels() == {"0": "spam", "1": "ham", "2": "ham", "3": "ham"}


def test_a_list_of_plain_rows_keeps_its_ids(project):
    taken(
        project,
        sent({"id": "a", "text": "same", "label": "ham"}, {"id": "b", "text": "same", "label": "ham"}),
        "rows.json",
    )
    assert labels() == {"a": "ham", "b": "ham"}


@pytest.mark.parametrize("lead", ["1e999", "-1", '"soon"', "[]", "true", "NaN"])
def test_a_time_that_no_clock_says_refuses_its_task(project, lead):
    text = json.dumps([task(1, {"id": "x", "text": "x"}, choice("ham", lead_time=0.5))]).replace("0.5", lead)
    taken(project, text.encode(), "tasks.json")
    assert reasons()[0].startswith("The “lead_time” of an answer is a number of seconds")
    assert not Example.objects.exists()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"result": [1]}, "The “result” of an answer is no list of regions."),
        ({"result": {}}, "no list of regions"),
        ({"result": "ham"}, "no list of regions"),
        ({"result": 5}, "no list of regions"),
        ({"result": [{"type": "choices", "value": 5}]}, "has no “value”"),
        ({"result": [{"type": "choices", "value": {"choices": "ham"}}]}, "no list of names, “choices”"),
        ({"result": [{"type": "choices", "value": {"choices": [1]}}]}, "no list of names"),
        ({"result": [{"type": {}, "value": {}}]}, "this project keeps “choices” only"),
    ],
)
def test_a_result_of_the_wrong_type_refuses_its_task(project, answer, words):
    taken(project, sent(task(1, {"id": "x", "text": "x"}, answer)), "tasks.json")
    assert words in reasons()[0]
    assert not Example.objects.exists()


@pytest.mark.parametrize("found", [5, "none", {"a": 1}, [5], [[]]])
def test_answers_that_are_no_list_of_objects_are_not_passed_over(project, found):
    taken(project, sent({"id": 1, "data": {"text": "x"}, "annotations": found}), "tasks.json")
    assert reasons() == ["“annotations” is no list of objects."]


@pytest.mark.parametrize(
    "item",
    [
        "[99999999999999999999999]",
        '["\\ud800"]',
        "[null]",
        '[{"data": {"text": "x", "id": "\\ud800"}}]',
        "[[[]]]",
        json.dumps([{"id": 1, "data": {"text": "x"}, "deep": DEEP}]),
        json.dumps([{"id": 1, "data": {"text": DEEP}}]),
        json.dumps([DEEP]),
    ],
)
def test_a_task_that_nothing_can_keep_is_one_dead_letter(project, item):
    taken(project, item.encode(), "tasks.json")
    assert len(reasons()) == 1
    assert not Example.objects.exists()


@pytest.mark.parametrize("place", ["1e999", "-1", "0.5", '"0"', "null", "true", "NaN", "9" * 400])
def test_a_span_that_begins_nowhere_refuses_its_task(make_project, place):
    project = make_project("text-spans", labels=("PER",))
    value = {"start": "HERE", "end": 3, "labels": ["PER"]}
    text = json.dumps([task(1, {"id": "x", "text": "Ada!"}, {"result": [{"type": "labels", "value": value}]})])
    taken(project, text.replace('"HERE"', place).encode(), "tasks.json")
    assert reasons()[0].startswith("The “start” of a span is a whole number of characters")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"image_rotation": 90}, "drawn on a picture that was rotated in the tool"),
        ({"image_rotation": -90}, "rotated in the tool"),
        ({"image_rotation": "90"}, "rotated in the tool"),
        ({"rotation": 12.5}, "A box is rotated"),
        ({"rotation": "x"}, "A box is rotated"),
        ({"original_width": 0}, "lacks “original_width”"),
        ({"original_height": None}, "lacks “original_width”"),
        ({"original_width": 1e999}, "lacks “original_width”"),
        ({"original_width": 30, "original_height": 40}, "30 by 40 pixels, but it has 40 by 30."),
        ({"x": None}, "one is no number"),
        ({"width": 1e999}, "one is no number"),
        ({"rectanglelabels": ["cat", "dog"]}, "A region has 2 labels"),
    ],
)
def test_a_box_that_cannot_be_kept_refuses_its_task(boxes, more, words):
    text = json.dumps([task(1, {"id": "x", "image": data_url(encoded())}, rectangle(**more))])
    taken(boxes, text.replace("Infinity", "1e999").encode(), "tasks.json")
    assert words in reasons()[0]
    assert not Example.objects.exists()


@pytest.mark.parametrize("size", [(40, 30), (400, 300)])
def test_percents_are_of_the_image_that_came(boxes, size):
    answer = rectangle(original_width=size[0], original_height=size[1], image_rotation=360)
    taken(boxes, sent(task(1, {"id": "x", "image": data_url(encoded())}, answer)), "tasks.json")
    assert labels() == {"x": {"boxes": [box(0.0, 0.0, 10.0, 15.0)]}}


# CoNLL


@pytest.mark.parametrize("blank", ["\u00a0", "\u2009", "\u202f", "\u3000", "\x85", "\u2028", "\x1c"])
@pytest.mark.parametrize("between", [" ", "\t", "   "])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_token_with_a_blank_inside_is_whole(make_project, blank, between, end):
    project = make_project("text-spans", labels=("SUM",))
    lines = [("fee", "O"), (f"10{blank}000", "B-SUM"), ("kroner", "I-SUM")]
    text = "".join(f"{token}{between}{tag}{end}" for token, tag in lines) + end
    taken(project, text.encode(), "a.conll")
    assert reasons() == []
    assert Example.objects.get().fields == {"text": f"fee 10{blank}000 kroner"}
    assert list(labels().values()) == [{"spans": [{"start": 4, "end": 17, "label": "SUM"}]}]


def test_utf16_without_its_mark_is_said_once(make_project):
    with pytest.raises(FileUnreadable, match="UTF-16"):
        taken(make_project("text-spans", labels=("SUM",)), "fee O\n".encode("utf-16-le"), "a.conll")
