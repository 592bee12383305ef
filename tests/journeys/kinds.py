"""A project of each kind of answer, made over the API, with examples that only text can be made of."""

import base64
import io
import itertools
from typing import Any

import httpx
from PIL import Image, ImageDraw

from tests.console import Console

PEOPLE = {"ada": "annotator", "rosa": "reviewer"}  # of the demo
SENTENCE = "I sent 250 euros to my sister Ada in Paris two days ago 😀 and it still says pending."
_numbers = itertools.count(1)
LABELS = {
    "text-classification": ("Card arrival", "Pending transfer", "Top-up reverted"),
    "text-multilabel": ("Urgent", "Angry", "Money", "Travel"),
    "text-spans": ("Amount", "Person", "Place", "Time"),
    "image-boxes": ("Circle", "Square"),
    "text-preference": ("A", "B"),
    "tabular-classification": ("Yes", "No"),
}


def picture(number: int, *, width: int = 320, height: int = 200) -> str:
    """A circle and a square whose places depend on the number, as base64 of a PNG."""
    image = Image.new("RGB", (width, height), (236, 238, 242))
    draw = ImageDraw.Draw(image)
    x, y = 20 + 11 * number % 120, 20 + 7 * number % 80
    draw.ellipse((x, y, x + 60, y + 60), fill=(196, 92, 60))
    draw.rectangle((x + 110, y + 30, x + 170, y + 90), fill=(58, 96, 160))
    file = io.BytesIO()
    image.save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def row(task_type: str, number: int) -> dict[str, Any]:
    name = {"id": f"row-{number}"}
    if task_type.startswith("image"):
        return name | {"image": picture(number)}
    if task_type == "text-preference":
        return name | {
            "prompt": f"Say hello, take {number}.",
            "a": f"Hello, dear reader {number}.",
            "b": f"Hi {number}!",
        }
    if task_type.startswith("tabular"):
        return name | {"age": number, "job": "clerk", "balance": 10.5 * number}
    return name | {"text": f"{SENTENCE} Case {number}."}


def make(
    console: Console, lin: httpx.Client, task_type: str, *, count: int = 12, labels: tuple[str, ...] = (), **more: Any
) -> int:
    """The id of a new project of this kind, with `count` examples in it, where Ada labels and Rosa reviews."""
    names = [{"name": name} for name in labels or LABELS[task_type]]
    values = {
        "name": more.pop("name", f"{task_type} {next(_numbers)}"),
        "task_type": task_type,
        "labels": names,
        **more,
    }
    made = int(console.post(lin, "projects/", **values)["id"])
    for username, role in PEOPLE.items():
        console.post(lin, f"projects/{made}/members/", username=username, role=role)
    add(console, lin, made, [row(task_type, n) for n in range(count)])
    return made


def add(console: Console, lin: httpx.Client, project: int, rows: list[dict[str, Any]]) -> None:
    taken = console.post(lin, f"projects/{project}/examples/", examples=rows)
    assert taken["rows_taken"] == len(rows), taken
