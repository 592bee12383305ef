"""`GET examples/` says what an example is, whatever the kind of answer."""

import pytest

from apps.datasets.models import Example
from apps.labeling.models import Label, LabelSource
from tests.api import api_of
from tests.conftest import NOON
from tests.datasets.test_intake import ingest, png

KINDS = {
    "text-multilabel": ({"text": "a"}, {"labels": ["ham", "spam"]}),
    "text-spans": ({"text": "Oslo and Rome"}, {"spans": [{"start": 0, "end": 4, "label": "ham"}]}),
    "image-boxes": ({"image": png(9, 9)}, {"boxes": [{"x": 1, "y": 1, "width": 3, "height": 4, "label": "spam"}]}),
}


def _label(project, **said):
    more = {"source": LabelSource.CONSENSUS, "holdout": False, "shown_at": NOON, "resolved_at": NOON}
    Label.objects.create(project=project, example=Example.objects.get(project=project), **said, **more)


def _listed(project, by):
    (row,) = api_of(by).get(f"/api/v1/projects/{project.pk}/examples/").json()["results"]
    return row["label"], row["value"]


@pytest.mark.parametrize("task_type", KINDS)
def test_an_answer_of_many_parts_stands_in_value(make_project, rosa, task_type):
    row, value = KINDS[task_type]
    project = make_project(task_type)
    ingest(project, [{"id": "e1", **row}])
    assert _listed(project, rosa) == (None, None)
    _label(project, value=value)
    assert _listed(project, rosa) == (None, value)


@pytest.mark.parametrize(
    ("task_type", "row", "label"),
    [("text-classification", {"text": "a"}, "spam"), ("text-preference", {"a": "x", "b": "y"}, "B")],
)
def test_one_label_stands_in_label(make_project, rosa, task_type, row, label):
    project = make_project(task_type)
    ingest(project, [{"id": "e1", **row}])
    _label(project, label=project.labels.get(name=label))
    assert _listed(project, rosa) == (label, None)
