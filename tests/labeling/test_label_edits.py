"""A label is edited: what it is called, how it looks, where it stands. It stays the same label."""

import json
import uuid

import numpy as np
import pytest
from django.urls import reverse

from apps.audit.models import Event
from apps.audit.verbs import Verb
from apps.datasets.models import Example
from apps.errors import Invalid, NotFound
from apps.labeling.models import Annotation, Assignment, AssignmentState, FrontierItem, Label, LabelSource, Lane
from apps.labeling.services.annotations import Answer, annotation_submit
from apps.labeling.services.renaming import label_edit
from apps.projects.models import SchemaLabel
from apps.projects.schema import LabelChange, project_rename
from apps.projects.selectors import schema_of
from apps.projects.services import LabelSpec, schema_extend
from apps.rules import metrics
from tests.api import api_of
from tests.conftest import NOON


@pytest.fixture
def edit(mona):
    def change(project, known, /, **to):
        label = project.labels.get(name=known)
        return label_edit(project=project, label_id=label.pk, change=LabelChange(**to), by=mona, at=NOON)

    return change


def _answered(project, by, **said):
    """An example with an answer and a label, and a suggestion that was shown."""
    example = Example.objects.create(
        project=project,
        external_id=str(uuid.uuid4()),
        fields={"text": "Oslo"},
        holdout=False,
        collected_at=NOON,
        ingested_at=NOON,
    )
    assignment = Assignment.objects.create(
        project=project,
        example=example,
        slot=0,
        holder=by,
        state=AssignmentState.ANSWERED,
        token=uuid.uuid4(),
        leased_at=NOON,
        leased_until=NOON,
        lane=Lane.ACTIVE,
        rank=0,
        reason={"suggestion": "ham", "nearest": ["spam", "ham"]},
        suggestion="ham",
    )
    more = {"project": project, "example": example, "shown_at": NOON}
    Annotation.objects.create(
        client_id=uuid.uuid4(), assignment=assignment, annotator=by, answered_at=NOON, active_ms=0, **more, **said
    )
    Label.objects.create(source=LabelSource.CONSENSUS, holdout=False, resolved_at=NOON, **more, **said)
    return example


def test_a_renamed_label_keeps_its_identity_and_its_answers(project, ada, edit):
    ham = project.labels.get(name="ham")
    example = _answered(project, ada, label=ham)
    renamed = edit(project, "ham", name="  legitimate ")
    assert (renamed.pk, renamed.position, renamed.name, renamed.former_names) == (ham.pk, 0, "legitimate", ["ham"])
    assert Label.objects.get(pk=example.pk).label.name == "legitimate"
    given = Assignment.objects.get()
    assert given.suggestion == "legitimate"
    assert given.reason == {"suggestion": "legitimate", "nearest": ["spam", "legitimate"]}
    event = Event.objects.filter(verb=Verb.SCHEMA_EDITED).get()
    assert (event.before["name"], event.after["name"]) == ("ham", "legitimate")


@pytest.mark.parametrize(
    ("task_type", "before", "after"),
    [
        ("text-multilabel", {"labels": ["ham", "spam"]}, {"labels": ["eggs", "spam"]}),
        (
            "text-spans",
            {"spans": [{"start": 0, "end": 2, "label": "ham"}, {"start": 2, "end": 4, "label": "spam"}]},
            {"spans": [{"start": 0, "end": 2, "label": "eggs"}, {"start": 2, "end": 4, "label": "spam"}]},
        ),
    ],
)
def test_answers_of_many_parts_are_called_so_too(make_project, ada, edit, task_type, before, after):
    project, other = make_project(task_type), make_project(task_type)
    example, untouched = _answered(project, ada, value=before), _answered(other, ada, value=before)
    edit(project, "ham", name="eggs")
    assert Label.objects.get(pk=example.pk).value == Annotation.objects.get(example=example).value == after
    assert Label.objects.get(pk=untouched.pk).value == before


def test_what_waits_in_the_queue_suggests_the_new_name(project, ada, edit):
    example = _answered(project, ada, label=project.labels.get(name="ham"))
    FrontierItem.objects.create(
        project=project, example=example, slot=3, lane=Lane.ACTIVE, rank=1, reason={"suggestion": "ham"}, queued_at=NOON
    )
    edit(project, "ham", name="eggs")
    assert FrontierItem.objects.get().reason == {"suggestion": "eggs"}


def test_a_model_of_before_is_read_with_the_names_of_today(project, edit):
    edit(project, "ham", name="eggs")
    edit(project, "eggs", name="bacon")
    today = schema_of(project).today
    assert today(["ham", "spam"]) == today(["eggs", "spam"]) == ("bacon", "spam")
    said = metrics.align(np.array([[0.9, 0.1]]), today(["ham", "spam"]), today(["bacon", "spam"]))
    assert said.tolist() == [[0.9, 0.1]]


def test_a_name_that_another_label_has_or_had_is_refused_and_nothing_changes(project, mona, edit):
    edit(project, "ham", name="eggs")
    for name in ("SPAM", " ", "x" * 81):
        with pytest.raises(Invalid):
            edit(project, "eggs", name=name)
    with pytest.raises(Invalid, match="was the name of"):
        edit(project, "spam", name="Ham")
    with pytest.raises(Invalid):
        schema_extend(project=project, labels=[LabelSpec("ham")], by=mona, at=NOON)
    assert [x.name for x in schema_of(project).labels] == ["eggs", "spam"]
    assert edit(project, "eggs", name="ham").former_names == ["eggs"]


def test_an_answer_under_the_old_name_that_was_on_its_way_counts(project, ada, edit):
    example = _answered(project, ada, label=project.labels.get(name="spam"))
    Annotation.objects.all().delete()
    Label.objects.all().delete()
    Assignment.objects.update(state=AssignmentState.LEASED)
    given = Assignment.objects.get()
    edit(project, "ham", name="eggs")
    said = Answer(uuid.uuid4(), given.pk, given.token, label="ham")
    annotation_submit(project_id=project.pk, answer=said, by=ada, at=NOON)
    assert Label.objects.get(pk=example.pk).label.name == "eggs"


def test_the_task_type_s_own_labels_keep_their_names_but_not_their_colors(make_project, edit):
    pairs = make_project("text-preference")
    with pytest.raises(Invalid):
        edit(pairs, "A", name="First")
    assert edit(pairs, "A", color="#C2386B", description="the left one").color == "#c2386b"


def test_keys_colors_and_places_follow_their_rules(make_project, edit):
    project = make_project(labels=("one", "two", "three"))
    edit(project, "one", hotkey="k")
    assert project.labels.get(name="one").hotkey == "K"
    for wrong in ({"hotkey": "K"}, {"hotkey": "ß"}, {"hotkey": "Z"}, {"color": "red"}, {"place": 0}, {"place": 4}):
        with pytest.raises(Invalid):
            edit(project, "two", **wrong)
    with pytest.raises(Invalid):
        edit(project, "two", description="x" * 301)
    edit(project, "three", place=1, description=" a\n b ")
    schema = schema_of(project)
    assert [x.name for x in schema.shown] == ["three", "one", "two"]
    assert [x.name for x in schema.labels] == ["one", "two", "three"], "class indices never move"
    assert schema.shown[0].description == "a b"


def test_a_label_of_another_project_is_not_found(make_project, mona):
    project, other = make_project(), make_project()
    label = SchemaLabel.objects.filter(project=other).first()
    with pytest.raises(NotFound):
        label_edit(project=project, label_id=label.pk, change=LabelChange(name="x"), by=mona, at=NOON)


def test_the_page_saves_and_says_what_is_wrong(as_, project, mona, ada):
    label = project.labels.get(name="ham")
    address = reverse("setup:label", args=[project.pk, label.pk])
    given = {"name": "eggs", "color": "#2a78d6", "hotkey": "E", "description": "From hens.", "place": 2}
    refused = as_(mona).post(address, given | {"name": "spam"})
    assert refused.status_code == 422 and "is there already" in refused.content.decode()
    assert as_(mona).post(address, given).status_code == 302
    assert "From hens." in as_(mona).get(reverse("projects:settings", args=[project.pk])).content.decode()
    desk = as_(ada).get(reverse("labeling:desk", args=[project.pk])).content.decode()
    assert "From hens." in desk


def test_the_api_edits_retires_and_restores(project, mona, ada):
    base = f"/api/v1/projects/{project.pk}/schema/"
    label = next(x for x in api_of(mona).get(base).json()["results"] if x["name"] == "ham")
    changed = api_of(mona).patch(f"{base}{label['id']}/", {"name": "eggs", "description": "From hens."}, format="json")
    assert (changed.json()["name"], changed.json()["former_names"]) == ("eggs", ["ham"])
    refused = api_of(mona).patch(f"{base}{label['id']}/", {"name": "spam"}, format="json")
    assert refused.status_code == 422 and "there already" in json.dumps(refused.json())
    added = api_of(mona).post(base, {"name": "bacon"}, format="json").json()
    assert api_of(mona).patch(f"{base}{added['id']}/", {"retired": True}, format="json").json()["retired_at"]
    assert api_of(mona).patch(f"{base}{added['id']}/", {"retired": False}, format="json").json()["retired_at"] is None
    assert api_of(ada).patch(f"{base}{label['id']}/", {"name": "x"}, format="json").status_code == 403


def test_a_project_is_renamed_and_programs_go_on(make_project, as_, mona):
    project, other = make_project(name="Mail"), make_project(name="Post")
    slug = project.slug
    with pytest.raises(Invalid):
        project_rename(project=project, name="POST", by=mona, at=NOON)
    found = project_rename(project=project, name="Letters", by=mona, at=NOON)
    assert (found.name, found.slug) == ("Letters", slug)
    address = reverse("setup:rename", args=[other.pk])
    assert as_(mona).post(address, {"name": "letters"}).status_code == 422
    assert as_(mona).post(address, {"name": "Parcels"}).status_code == 302
    answer = api_of(mona).patch(f"/api/v1/projects/{other.pk}/", {"name": "Boxes"}, format="json").json()
    assert (answer["name"], answer["slug"]) == ("Boxes", "post")
