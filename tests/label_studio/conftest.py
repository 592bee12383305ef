"""A project of pictures and one of table rows, beside the usual one of texts."""

import io
from collections.abc import Callable

import pytest
from PIL import Image

from apps.projects.models import Project


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
