"""A project whose champion is asked by a Label Studio; one of pictures and one of table rows beside it."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from apps.integrations import wiring
from apps.label_studio.services import backend_open
from apps.projects.models import Project
from apps.releases.services import model_promote
from tests import rows
from tests.conftest import NOON


class Answers:
    """Says spam where the text has “win”, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    def infer(self, *, model: str, request: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(request)
        data = request["inputs"][0]["data"]
        said = ["spam" if "win" in each else "ham" for each in data]
        sure = [0.9 - 0.1 * ("?" in each) for each in data]
        return {"outputs": [{"name": "label", "data": said}, {"name": "confidence", "data": sure}]}


@pytest.fixture
def answers(monkeypatch) -> Answers:
    found = Answers()
    monkeypatch.setattr(wiring, "predictor", found)
    return found


@pytest.fixture
def secret(project, mona, answers) -> str:
    rows.labeled(project, at=NOON)
    model_promote(version=rows.model(project, at=NOON), reason="", by=mona, at=NOON)
    return backend_open(project=project, by=mona, at=NOON)


@pytest.fixture
def image_project(make_project: Callable[..., Project]) -> Project:
    return make_project(task_type="image-classification")


@pytest.fixture
def table_project(make_project: Callable[..., Project]) -> Project:
    return make_project(task_type="tabular-classification")


@pytest.fixture
def png() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 8), "white").save(out, "PNG")
    return out.getvalue()
