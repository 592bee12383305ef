"""Change one label of the schema: its name, color, key, description and place. Its identity stays: key and class index."""

import re
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.audit.services import event_record
from apps.audit.verbs import Verb
from apps.errors import Invalid, NotFound
from apps.live.publish import look_again
from apps.live.topics import News, Topic
from apps.projects import task_types
from apps.projects.models import Project, SchemaLabel
from apps.projects.services import label_key, label_name
from apps.rules.sentences import joined, sentence, term
from apps.rules.values import looks

COLOR = re.compile(r"#[0-9a-f]{6}")
MOST_DESCRIPTION = 300  # characters: what fits beside a key of the desk


@dataclass(frozen=True)
class LabelChange:
    """What is to be different; None leaves as it is. `place` counts from 1."""

    name: str | None = None
    color: str | None = None
    hotkey: str | None = None
    description: str | None = None
    place: int | None = None


@transaction.atomic
def label_change(*, project: Project, label_id: int, change: LabelChange, by: User, at: datetime) -> SchemaLabel:
    """The row of the label only: `apps.labeling.services.renaming` also renames what was answered. Raises Invalid."""
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    labels = {x.pk: x for x in project.labels.all()}
    label = labels.get(label_id)
    if label is None:
        raise NotFound(_("There is no such label in this project."))
    others = [x for x in labels.values() if x.pk != label_id]
    before = _facts(label)
    if change.name is not None:
        _rename(project, label, others, change.name)
    if change.color is not None:
        label.color = _color(change.color)
    if change.hotkey is not None:
        label.hotkey = _hotkey(others, change.hotkey)
    if change.description is not None:
        label.description = _description(change.description)
    label.save()
    if change.place is not None:
        _move(label, others, change.place)
    after = _facts(label)
    changed = {name: value for name, value in after.items() if value != before[name]}
    if changed:
        event_record(
            project_id=project.pk,
            verb=Verb.SCHEMA_EDITED,
            subject=f"label {label.pk}",
            by=by,
            at=at,
            sentence=_sentence(by, before, after),
            before={name: before[name] for name in changed},
            after=changed,
        )
        look_again(Topic.PROJECT.of(project.pk), News.SCHEMA)
    return label


def _facts(label: SchemaLabel) -> dict[str, Any]:
    return {name: getattr(label, name) for name in asdict(LabelChange())}


def _sentence(by: User, before: dict[str, Any], after: dict[str, Any]) -> str:
    if before["name"] != after["name"]:
        return sentence(
            "{by} renamed the label “{before}” to “{after}”.", by=by, before=before["name"], after=after["name"]
        )
    changed = joined([term(name) for name in after if after[name] != before[name]], ", ")
    return sentence("{by} changed the label “{name}”: {changed}.", by=by, name=after["name"], changed=changed)


def _rename(project: Project, label: SchemaLabel, others: list[SchemaLabel], given: str) -> None:
    """A name that another label has or had is refused: old models would not be understood any more."""
    name = label_name(given, field="name")
    if name == label.name:
        return
    if label.name in task_types.get(project.task_type).labels:
        raise Invalid(_("The task type fixes this label’s name."), field="name")
    for other in others:
        if looks(name) == looks(other.name):
            raise Invalid(_("The label “{name}” is there already.").format(name=other.name), field="name")
        if looks(name) in {looks(former) for former in other.former_names}:
            words = _("“{name}” was the name of “{other}”, and older models know that label by it. Take another name.")
            raise Invalid(words.format(name=name, other=other.name), field="name")
    label.former_names = [x for x in [*label.former_names, label.name] if x != name]
    label.name = name


def _color(given: str) -> str:
    color = given.strip().lower()
    if not COLOR.fullmatch(color):
        raise Invalid(_("“{color}” is not a color. Write it as #2a78d6.").format(color=given[:20]), field="color")
    return color


def _hotkey(others: list[SchemaLabel], given: str) -> str:
    key = label_key(given, field="hotkey")
    taken = next((x for x in others if key and x.hotkey == key), None)
    if taken:
        words = _("The key {key} is that of “{name}”. Give that label another one first.")
        raise Invalid(words.format(key=key, name=taken.name), field="hotkey")
    return key


def _description(given: str) -> str:
    text = " ".join(given.replace("\x00", "").split())
    if len(text) > MOST_DESCRIPTION:
        raise Invalid(_("A description has at most {n} characters.").format(n=MOST_DESCRIPTION), field="description")
    return text


def _move(label: SchemaLabel, others: list[SchemaLabel], place: int) -> None:
    if not 1 <= place <= len(others) + 1:
        raise Invalid(_("The place is a number from 1 to {n}.").format(n=len(others) + 1), field="place")
    order = sorted(others, key=lambda x: (x.place, x.position))
    order.insert(place - 1, label)
    for at, each in enumerate(order):
        each.place = at
    SchemaLabel.objects.bulk_update(order, ["place"])


@transaction.atomic
def project_rename(*, project: Project, name: str, by: User, at: datetime) -> Project:
    """Its address and its model name stay as they are: programs go on. Raises Invalid for a name that is taken."""
    found = Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    wanted, before = label_name(name, field="name", what=_("The project’s name")), found.name
    if wanted == before:
        return found
    taken = Project.objects.exclude(pk=project.pk).values_list("name", flat=True)
    if any(looks(wanted) == looks(other) for other in taken):
        raise Invalid(_("A project named “{name}” exists already.").format(name=wanted), field="name")
    found.name = wanted
    found.save(update_fields=["name"])
    event_record(
        project_id=project.pk,
        verb=Verb.PROJECT_RENAMED,
        subject=f"project {project.pk}",
        by=by,
        at=at,
        sentence=sentence("{by} renamed the project “{before}” to “{wanted}”.", by=by, before=before, wanted=wanted),
        before={"name": before},
        after={"name": wanted},
    )
    return found
