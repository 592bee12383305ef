"""A good row of every kind of payload and a good answer of every kind, as the contracts give them."""

import base64
import io
from typing import Any

from PIL import Image


def png(side: int = 40) -> bytes:
    out = io.BytesIO()
    Image.new("L", (side, side), 120).save(out, "PNG")
    return out.getvalue()


LABELS = ("A", "B")
ROWS: dict[str, dict[str, Any]] = {
    "text": {"text": "Ada worked at Acme in Turin."},
    "image": {"image": base64.b64encode(png()).decode()},
    "tabular": {"age": 41, "plan": "gold", "share": 0.5},
    "pair": {"prompt": "Which is better?", "a": "The first one.", "b": "The second one."},
}
BAD_ROWS: dict[str, tuple[dict[str, Any], ...]] = {
    "text": ({}, {"text": None}, {"text": " "}, {"text": 3}, {"text": "a\x00b"}),
    "image": ({}, {"image": None}, {"image": "no base64!"}, {"image": base64.b64encode(b"no picture").decode()}),
    "tabular": ({}, {"label": "A"}, {"age": None}),
    "pair": ({}, {"a": "only one"}, {"a": "one", "b": ""}),
}
ANSWERS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "choice": ({"label": "A"}, {"label": "B"}),
    "choices": ({"labels": ["A", "B"]}, {"labels": []}),
    "spans": ({"spans": [{"start": 0, "end": 3, "label": "A"}]}, {"spans": []}),
    "boxes": ({"boxes": [{"x": 1.0, "y": 2.0, "width": 9.0, "height": 8.0, "label": "B"}]}, {"boxes": []}),
}
FIELDS = {"text": ROWS["text"]["text"], "width": 40, "height": 40}
FORMS: dict[str, tuple[dict[str, str], bytes | None, dict[str, Any]]] = {
    "text": ({"text": "hello"}, None, {}),
    "image": ({}, png(), {}),
    "tabular": ({"feature-age": "41,5", "feature-plan": "gold", "feature-gone": ""}, None, {"age": 3, "plan": "x"}),
    "pair": ({"prompt": "", "a": "one", "b": "two"}, None, {}),
}
