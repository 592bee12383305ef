"""What every format does: it reads what it writes, of every task type and grain that it can carry, and refuses the rest."""

import io

import orjson
import pytest

from apps.datasets.models import DeadLetter
from apps.datasets.readers import FileUnreadable, suffix_of
from apps.projects.task_types import TASK_TYPES
from apps.transfer.exporting import GRAINS, Export, facts
from apps.transfer.formats import FORMATS, read_with, suffixes
from tests.contracts.samples import ANSWERS, LABELS, ROWS
from tests.transfer.conftest import taken, written

every = pytest.mark.parametrize("form", FORMATS.values(), ids=lambda f: f.name)
CARRIED = [
    (form, task, grain)
    for form in FORMATS.values()
    for task in TASK_TYPES.values()
    for grain in form.grains
    if form.carries(task)
]


def row_of(task):
    value = ANSWERS[task.answer.name][0]
    rest = {
        "label": value,
        "answers": [{"by": "ada", "value": value, "at": "2026-11-01T09:00:00Z", "id": "a1"}],
        "predictions": [{"model": "m1", "value": value, "confidence": 0.75, "at": "2026-11-01T08:00:00Z"}],
    }
    return orjson.dumps({"id": "x", **ROWS[task.kind], **rest})


def everything(project, grain):
    said = [(shown.external_id, shown.fields, shown.image, fact) for shown, fact in facts(Export(project, grain))]
    return [(*shown, fact if grain != "labels" else fact.value) for *shown, fact in said]


@pytest.mark.parametrize(("form", "task", "grain"), CARRIED, ids=lambda x: getattr(x, "name", x))
def test_it_reads_what_it_writes(form, task, grain, make_project):
    one, other = (make_project(task.name, labels=LABELS) for _ in range(2))
    taken(one, row_of(task), "begin.jsonl")
    content = written(one, form.name, grain)
    taken(other, content, f"file{form.suffix(Export(one, grain))}")
    assert not DeadLetter.objects.exists(), DeadLetter.objects.first().reason
    assert everything(other, grain) == everything(one, grain) != []


@every
def test_it_says_what_it_carries_and_its_endings_are_known(form):
    assert set(form.grains) <= set(GRAINS) and form.grains
    assert all(suffix_of(f"file{suffix}", suffixes()) == suffix for suffix in form.suffixes)
    assert str(form.words).endswith(".") and "/" in form.media_type
    assert any(form.carries(task) for task in TASK_TYPES.values())


@every
def test_a_file_that_is_none_is_refused_in_words_or_row_by_row(form, make_project):
    task = next(task for task in TASK_TYPES.values() if form.carries(task))
    project = make_project(task.name, labels=LABELS)
    try:
        rows = list(read_with(project, io.BytesIO(b"\xff\xfe\x00 no such file"), f"file{form.suffixes[0]}"))
    except FileUnreadable as refused:
        assert str(refused).strip().endswith((".", "?")) or len(str(refused)) > 10
    else:
        assert rows and all(row.values is None and row.reason for row in rows)


@every
def test_two_formats_with_one_ending_are_told_apart(form):
    for other in FORMATS.values():
        shared = set(form.suffixes) & set(other.suffixes)
        told = form.begins != other.begins or bool(form.recognizes) != bool(other.recognizes)
        assert other is form or not shared or told


def test_an_installed_format_is_offered_and_a_file_of_its_ending_read(install, make_project):
    install(
        FORMATS,
        "acme-formats",
        """
        from apps.datasets.readers import Row
        from apps.transfer.exporting import facts
        from apps.transfer.formats import FileFormat

        def read(file, project):
            for number, line in enumerate(file.read().decode().splitlines(), start=1):
                name, text = line.split("|")
                yield Row(number, {"id": name, "text": text})

        def write(export):
            for shown, fact in facts(export):
                yield f"{shown.external_id}|{shown.fields['text']}\\n".encode()

        BARS = FileFormat(
            "bars", "Bars", (".bar",), "text/plain", "Id and text.", ("labels",), read, write, shows=frozenset({"text"})
        )
        """,
        point="acme_formats:BARS",
    )
    project = make_project()
    assert ".bar" in suffixes()
    assert [row.values for row in read_with(project, io.BytesIO(b"x|hello\n"), "a.bar")] == [
        {"id": "x", "text": "hello"}
    ]
    taken(project, b'{"id": "y", "text": "bye", "label": "ham"}', "begin.jsonl")
    assert written(project, "bars", "labels") == b"y|bye\n"
