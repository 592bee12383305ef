"""What every task type can do: read a row or refuse it in words, show it, write it down again, and ask about it."""

import base64
import json

import pytest
from django.template.loader import get_template, render_to_string

from apps.datasets.models import Example
from apps.errors import Invalid
from apps.labeling.desk.presenters import example_json
from apps.projects.task_types import TASK_TYPES, PayloadRefused
from apps.rules.answers import ANSWER_KINDS
from tests.conftest import NOON
from tests.contracts.samples import BAD_ROWS, FORMS, ROWS

every = pytest.mark.parametrize("task", TASK_TYPES.values(), ids=lambda t: t.name)


@every
def test_a_good_row_is_read_and_its_columns_make_the_same_example_again(task):
    payload = task.read({"id": "x", **ROWS[task.kind]})
    json.dumps(payload.fields)  # what is stored is JSON
    assert (payload.blob is not None) is task.payload.has_image
    assert task.read({"id": "x", **task.payload.columns_of(payload.fields, payload.blob)}) == payload


@every
def test_a_bad_row_is_refused_in_a_sentence(task):
    for row in BAD_ROWS[task.kind]:
        with pytest.raises(PayloadRefused, match=r"^[A-Z].+\.$"):
            task.read(row)


@every
def test_a_model_reads_what_was_sent(task):
    payload = task.read({"id": "x", **ROWS[task.kind]})
    seen = task.payload.for_model(payload.fields, payload.blob)
    if task.payload.has_image:
        assert seen == payload.blob == base64.b64decode(ROWS[task.kind]["image"])
    elif task.payload.has_features:
        assert seen == ROWS[task.kind]
    else:
        assert all(value in seen for value in ROWS[task.kind].values())


@every
def test_its_columns_are_those_that_it_names(task):
    payload = task.read(ROWS[task.kind])
    columns = set(task.payload.columns_of(payload.fields, payload.blob))
    assert columns == set(ROWS[task.kind]) and str(task.columns).strip()
    assert task.payload.has_features or columns == set(task.payload.column_names)


@every
def test_the_desk_is_told_what_to_paint(task, make_project):
    project, payload = make_project(task.name), task.read(ROWS[task.kind])
    example = Example.objects.create(
        project=project, external_id="x", fields=payload.fields, holdout=False, collected_at=NOON, ingested_at=NOON
    )
    shown = json.loads(json.dumps(example_json(example, project)))
    assert (shown["id"], shown["external_id"], shown["kind"]) == (example.pk, "x", task.kind)
    assert ("image_url" in shown) is task.payload.has_image
    assert 0 < len(shown["summary"]) <= 160 and len(shown) > 4


@every
def test_its_templates_are_there_and_show_the_example(task):
    for name in (task.example_template, task.answer_template):
        assert get_template(name)
    payload = task.read(ROWS[task.kind])
    line = {
        "pk": 3,
        "external_id": "x",
        "text": payload.fields.get("text", ""),
        "pairs": task.payload.pairs(payload.fields),
    }
    shown = render_to_string(task.payload.shown_template, {"line": line, "project": {"pk": 7}})
    assert ("/projects/7/" if task.payload.has_image else str(next(reversed(ROWS[task.kind].values())))) in shown
    form = render_to_string(task.payload.try_template, {"features": FORMS[task.kind][2]})
    assert form.count("name=") == len(task.payload.column_names or FORMS[task.kind][2])


@every
def test_a_form_becomes_a_question_and_many_rows_the_same_tensors(task):
    row = task.payload.question(*FORMS[task.kind])
    one, three = task.payload.inputs([row]), task.payload.inputs([row, row, row])
    assert [t["name"] for t in one] == [t["name"] for t in three] == list(row)
    for alone, many in zip(one, three, strict=True):
        assert (alone["shape"], many["shape"]) == ([1], [3])
        assert alone["data"] * 3 == many["data"] and alone["datatype"] in ("BYTES", "FP64")
    json.dumps(one)


@every
def test_an_empty_form_is_refused_with_the_field(task):
    with pytest.raises(Invalid) as refused:
        task.payload.question({}, None, FORMS[task.kind][2])
    assert refused.value.details["field"]


@every
def test_its_answer_is_a_registered_one(task):
    assert ANSWER_KINDS[task.answer.name] == task.answer
    assert not task.labels or len(set(task.labels)) == len(task.labels) > 1


def test_an_installed_task_type_is_offered_and_a_project_of_it_opens(install, make_project):
    install(
        TASK_TYPES,
        "acme-tasks",
        """
        from apps.projects.task_types import TaskType, TextPayload
        from apps.rules.answers import Choice

        SENTIMENT = TaskType("acme-sentiment", "Text, its mood", TextPayload(), Choice(), labels=("good", "bad"))
        """,
        point="acme_tasks:SENTIMENT",
    )
    project = make_project("acme-sentiment")
    assert [x.name for x in project.labels.all()] == ["good", "bad"]
