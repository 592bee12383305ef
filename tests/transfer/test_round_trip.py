"""What goes out comes in equal, in every format and for every kind of answer that it can carry."""

import base64
import io
import itertools
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from PIL import Image

from apps.datasets.models import DeadLetter, Example
from apps.labeling.models import SkipReason
from apps.projects.models import Project
from apps.projects.task_types import TASK_TYPES
from apps.transfer.exporting import GRAINS, Export, facts
from apps.transfer.formats import FORMATS
from tests.transfer.conftest import taken, written

LABELS = ("PER", "first name", "=cmd", "Ünï 'x', \"y\"")
NASTY = [
    "=cmd|' /C calc'!A0",
    "+1",
    "-1",
    "@x",
    "'quoted",
    "a\tb",
    'say "hi", ok',
    "two\nlines",
    "cr\r\nlf",
    "مرحبا",
    "\u202eabc",
    "👩‍👩‍👧 x",
    "\u2028",
    "<script>alert(1)</script>",
    "null",
    "5",
    "# id = 3",
    "-DOCSTART- O",
    "a\x85b",
    "x\u200by",
]
TEXTS = st.one_of(
    st.sampled_from(NASTY),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=40),
).filter(lambda t: t.strip())
NAMES = st.sampled_from(LABELS)
counter = itertools.count()
QUIET = settings(
    max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@st.composite
def spans_in(draw: st.DrawFn, text: str) -> dict[str, Any]:
    """Up to three stretches that begin and end on something that is not blank: what every format can say."""
    edges = sorted(draw(st.lists(st.integers(0, len(text)), max_size=6, unique=True)))
    found = []
    for start, end in zip(edges[::2], edges[1::2], strict=False):
        part = text[start:end]
        if part.strip():
            start += len(part) - len(part.lstrip())
            found.append({"start": start, "end": start + len(part.strip()), "label": draw(NAMES)})
    return {"spans": found}


@st.composite
def boxes_in(draw: st.DrawFn, side: int = 40) -> dict[str, Any]:
    found = []
    for _ in range(draw(st.integers(0, 3))):
        x, y = (draw(st.integers(0, side * 100 - 200)) / 100 for _ in "xy")
        width = draw(st.integers(110, int(side * 100 - x * 100))) / 100
        height = draw(st.integers(110, int(side * 100 - y * 100))) / 100
        found.append({"x": x, "y": y, "width": width, "height": height, "label": draw(NAMES)})
    return {"boxes": found}


def png(n: int) -> bytes:
    out = io.BytesIO()
    Image.new("L", (40, 40), n % 250).save(out, "PNG")
    return out.getvalue()


@st.composite
def rows(draw: st.DrawFn, kind: str, answer: str) -> list[dict[str, Any]]:
    """Examples with a label, answers by Ada and Grace, and guesses: everything that a row can say."""
    found = []
    for n in range(draw(st.integers(1, 4))):
        row: dict[str, Any] = {"id": draw(st.sampled_from(["=1", "ünï", "a b", "'x"])) + f"-{n}"}
        text = draw(TEXTS) if answer == "choice" else f"{draw(TEXTS)}{n}"
        if kind == "text":
            row["text"] = text
        elif kind == "pair":
            row |= {"prompt": draw(TEXTS), "a": text, "b": draw(TEXTS)}
        elif kind == "image":
            row["image"] = base64.b64encode(png(n)).decode()
        else:
            row |= {
                "age": draw(st.integers(-5, 5)),
                "share": draw(st.sampled_from([0.5, -1.25])),
                "=name": text.strip(),
            }
        value = {
            "choice": st.sampled_from(["A", "B"]) if kind == "pair" else NAMES,
            "choices": st.lists(NAMES, unique=True).map(lambda x: {"labels": x}),
            "spans": spans_in(text),
            "boxes": boxes_in(),
        }[answer]
        row["label"] = draw(value)
        row["answers"] = [
            answered(draw, who, value) for who in draw(st.sets(st.sampled_from(["ada", "grace"]), min_size=n == 0))
        ]
        row["predictions"] = [
            {"model": m, "value": draw(value), "confidence": draw(st.floats(0, 1)), "at": "2026-10-01T10:00:00.123Z"}
            for m in draw(st.sets(st.sampled_from(["m1", "=m2"]), min_size=n == 0))
        ]
        found.append(row)
    return found


def answered(draw: st.DrawFn, who: str, value: st.SearchStrategy[Any]) -> dict[str, Any]:
    said: dict[str, Any] = (
        {"value": draw(value)} if draw(st.booleans()) else {"skip": draw(st.sampled_from(SkipReason.values))}
    )
    return {
        **said,
        "by": who,
        "comment": draw(st.one_of(st.just(""), TEXTS)),
        "flagged": draw(st.booleans()),
        "lane": "active",
        "suggestion": draw(st.one_of(st.none(), value)),
        "suggestion_confidence": draw(st.one_of(st.none(), st.floats(0, 1))),
        "suggestion_source": draw(st.sampled_from(["", "m1"])),
        "active_ms": draw(st.integers(0, 300_000)),
        "shown_at": "2026-11-01T09:00:00Z",
        "at": "2026-11-01T09:00:09.5Z",
        "guidelines": 3,
        "run": 7,
        "surplus": draw(st.booleans()),
        "id": f"answer-{next(counter)}",
    }


def everything(project: Project, grain: str) -> list[Any]:
    """What an export would say, without how it says it; the moments of a label are those of its import."""
    found = []
    for shown, fact in facts(Export(project, grain)):
        said = fact if grain != "labels" else fact.value  # type: ignore[union-attr]
        found.append((shown.external_id, shown.fields, shown.image, shown.collected_at, said))
    return sorted(found, key=lambda x: (x[0], str(x[4])))


TASKS = {
    "text-classification": ("text", "choice"),
    "text-multilabel": ("text", "choices"),
    "text-spans": ("text", "spans"),
    "image-classification": ("image", "choice"),
    "image-multilabel": ("image", "choices"),
    "image-boxes": ("image", "boxes"),
    "tabular-classification": ("tabular", "choice"),
    "text-preference": ("pair", "choice"),
}


@pytest.fixture
def pair(make_project: Callable[..., Project]) -> Callable[[str], tuple[Project, Project]]:
    """Two projects with the same labels and people."""

    def make(task_type: str) -> tuple[Project, Project]:
        return make_project(task_type, labels=LABELS, holdout_share=0.3), make_project(
            task_type, labels=LABELS, holdout_share=0.3
        )

    return make


CASES = [
    (task, name, grain)
    for task in TASKS
    for name, each in FORMATS.items()
    for grain in each.grains
    if each.carries(TASK_TYPES[task])
]


@pytest.mark.parametrize(("task", "name", "grain"), CASES)
def test_what_goes_out_comes_in_equal(pair, task, name, grain):
    one, other = pair(task)
    kind, answer = TASKS[task]

    @QUIET
    @given(rows(kind, answer))
    def check(given_rows: list[dict[str, Any]]) -> None:
        Example.objects.all().delete()
        DeadLetter.objects.all().delete()
        taken(one, _jsonl(given_rows), "start.jsonl")
        assert not DeadLetter.objects.exists(), DeadLetter.objects.first().reason
        assume(everything(one, grain))  # answers that disagree may have taken the only label away
        out = written(one, name, grain)
        taken(other, out, f"file{FORMATS[name].suffix(Export(one, grain))}")
        assert not DeadLetter.objects.exists(), DeadLetter.objects.first().reason
        assert everything(other, grain) == everything(one, grain)
        again = taken(other, out, f"file{FORMATS[name].suffix(Export(one, grain))}")
        assert (again.rows_taken, again.rows_refused) == (0, 0)

    check()


def _jsonl(given_rows: list[dict[str, Any]]) -> bytes:
    import orjson

    return b"\n".join(orjson.dumps(row) for row in given_rows)


def test_every_grain_is_named_in_words():
    assert {grain for each in FORMATS.values() for grain in each.grains} == set(GRAINS)
