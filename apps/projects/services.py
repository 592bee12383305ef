"""Make and change projects, their labels, guidelines and members."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest

from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.audit.services import event_record
from apps.audit.verbs import Verb
from apps.errors import Forbidden, Invalid
from apps.live.publish import look_again
from apps.live.topics import News, Topic
from apps.pages.sentences import refusal
from apps.projects import task_types
from apps.projects.models import GuidelineVersion, Membership, Project, ProjectDeletion, SchemaLabel
from apps.projects.roles import Role
from apps.rules.sentences import sentence
from apps.rules.values import MOST_NAME, ValueRefused, key_of, looks, name_of, tidy
from apps.rules.words import count

# Lightness and hue both differ from neighbor to neighbor, so that the first ten can be told apart without color sight.
PALETTE = ("#2a78d6", "#b8860b", "#7a4fb5", "#c2386b", "#1b8a5a", "#8a5a2b", "#0f8ea8", "#d2691e", "#5b6b7b", "#4b7f1f")
HOTKEYS = "1234567890QWERTYUIOPASDFHJKLCVBNM"  # number row first; Z undoes, X skips, G opens the guidelines
RESERVED_HOTKEYS = frozenset("ZXG?/")


@dataclass(frozen=True)
class LabelSpec:
    name: str
    color: str = ""
    hotkey: str = ""


@transaction.atomic
def project_create(
    *,
    name: str,
    task_type: str,
    labels: Sequence[LabelSpec],
    guidelines: str = "",
    holdout_share: float = 0.05,
    by: User,
    at: datetime,
) -> Project:
    """Make a project; its creator becomes its admin. Raises Invalid in words, Forbidden for those who may not.

    Only the project itself: `apps.loop.setup.services.project_open` also opens what its stages need.
    """
    if not (by.may_create_projects or by.is_superuser):
        raise Forbidden(
            gettext("You may label and look, but not create projects. An admin can allow it on your account.")
        )
    name = _named(name, gettext("The project needs a name."), gettext("The project’s name"), "name")
    if looks(name) in {looks(other) for other in Project.objects.values_list("name", flat=True)}:
        raise Invalid(gettext("A project named “{name}” exists already.").format(name=name), field="name")
    if task_type not in task_types.TASK_TYPES:
        known = ", ".join(task_types.TASK_TYPES)
        raise Invalid(
            gettext("The task type “{task_type}” is not known. Known are {known}.").format(
                task_type=task_type, known=known
            ),
            field="task_type",
        )
    task = task_types.get(task_type)
    if task.labels:
        labels = [LabelSpec(x, hotkey=key) for x, key in zip_longest(task.labels, task.label_keys, fillvalue="")]
    project = Project.objects.create(
        name=name,
        slug=_free_slug(name),
        task_type=task_type,
        holdout_share=holdout_share,
        holdout_salt=secrets.token_hex(8),
        created_by=by,
        created_at=at,
    )
    Membership.objects.create(project=project, user=by, role=Role.ADMIN)
    schema_extend(project=project, labels=labels, by=by, at=at, audit=False)
    GuidelineVersion.objects.create(project=project, number=1, text=guidelines, author=by, created_at=at)
    event_record(
        project_id=project.pk,
        verb=Verb.PROJECT_CREATED,
        subject=f"project {project.pk}",
        by=by,
        at=at,
        sentence=sentence("{by} created the project with {labels}.", by=by, labels=count(len(labels), "label")),
        after={"task_type": task_type},
    )
    return project


def _free_slug(name: str) -> str:
    base = slugify(name)[:70] or "project"
    taken = {
        slug
        for rows in (Project.objects, ProjectDeletion.objects)
        for slug in rows.filter(slug__startswith=base).values_list("slug", flat=True)
    }
    return next(s for s in (base, *(f"{base}-{n}" for n in range(2, 10_000))) if s not in taken)


@transaction.atomic
def schema_extend(
    *, project: Project, labels: Sequence[LabelSpec], by: User, at: datetime, audit: bool = True
) -> list[SchemaLabel]:
    """Append labels. Colors and hotkeys that are not given are chosen without collision."""
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    have = list(project.labels.all())
    names, keys = {looks(n) for x in have for n in (x.name, *x.former_names)}, {x.hotkey for x in have}
    wanted = {_key(s.hotkey) or _own_key(s.name) for s in labels}
    free_keys = iter(k for k in HOTKEYS if k not in keys | wanted)
    made = []
    for position, spec in enumerate(labels, start=len(have)):
        if len(spec.name.strip()) > MOST_NAME:
            raise Invalid(
                gettext("The label “{name}…” is longer than 80 characters.").format(name=spec.name.strip()[:30]),
                field="labels",
            )
        name = _named(spec.name, gettext("A label needs a name."), gettext("A label’s name"), "labels")
        hotkey = _key(spec.hotkey)
        if looks(name) in names:
            raise Invalid(gettext("The label “{name}” is there twice.").format(name=name), field="labels")
        if hotkey and hotkey in keys:
            raise Invalid(gettext("The key {hotkey} is given to two labels.").format(hotkey=hotkey), field="labels")
        own = _own_key(name)
        hotkey = hotkey or (own if own not in keys else "") or next(free_keys, "")
        names.add(looks(name))
        keys.add(hotkey)
        color = spec.color or PALETTE[position % len(PALETTE)]
        made.append(
            SchemaLabel(project=project, name=name, color=color, hotkey=hotkey, position=position, place=position)
        )
    SchemaLabel.objects.bulk_create(made)
    if audit and made:
        event_record(
            project_id=project.pk,
            verb=Verb.SCHEMA_EXTENDED,
            subject=f"project {project.pk}",
            by=by,
            at=at,
            sentence=sentence("{by} added {names}.", by=by, names=_listed([m.name for m in made])),
            after={"labels": [m.name for m in made]},
        )
        look_again(Topic.PROJECT.of(project.pk), News.SCHEMA)
    return made


@transaction.atomic
def guidelines_write(*, project: Project, text: str, by: User, at: datetime) -> GuidelineVersion:
    """Each edit is a new version; saving the same text again changes nothing."""
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    last = project.guidelines.first()
    if last and last.text == text:
        return last
    version = GuidelineVersion.objects.create(
        project=project, number=last.number + 1 if last else 1, text=text, author=by, created_at=at
    )
    event_record(
        project_id=project.pk,
        verb=Verb.GUIDELINES_WRITTEN,
        subject=f"guidelines {version.number}",
        by=by,
        at=at,
        sentence=sentence("{by} wrote version {number} of the guidelines.", by=by, number=version.number),
    )
    return version


@transaction.atomic
def label_retire(*, project: Project, name: str, by: User, at: datetime) -> SchemaLabel:
    """Offer a label no longer. What was answered with it stays, readable and marked; models keep it as a class.

    Answers that were on their way when it went still count. Raises Invalid when too few labels would remain.
    """
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    label = project.labels.filter(name=name).first()
    if label is None:
        raise Invalid(_("The label “{name}” is not in the project’s labels.").format(name=name), field="labels")
    if label.retired_at is not None:
        return label
    task = task_types.get(project.task_type)
    left = project.labels.filter(retired_at=None).count() - 1
    if name in task.labels or left < (1 if task.structured else 2):
        sentence = _("“{name}” cannot go: too few labels would be left to choose from.")
        raise Invalid(sentence.format(name=name), field="labels")
    label.retired_at = at
    label.save(update_fields=["retired_at"])
    _label_recorded(project, label, Verb.SCHEMA_RETIRED, f"{by} retired “{name}”: it is offered no longer.", by, at)
    return label


@transaction.atomic
def label_restore(*, project: Project, name: str, by: User, at: datetime) -> SchemaLabel:
    """Offer a retired label again."""
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    label = project.labels.filter(name=name).first()
    if label is None:
        raise Invalid(_("The label “{name}” is not in the project’s labels.").format(name=name), field="labels")
    if label.retired_at is None:
        return label
    label.retired_at = None
    label.save(update_fields=["retired_at"])
    _label_recorded(
        project, label, Verb.SCHEMA_RESTORED, sentence("{by} offers “{name}” again.", by=by, name=name), by, at
    )
    return label


def _label_recorded(project: Project, label: SchemaLabel, verb: Verb, sentence: str, by: User, at: datetime) -> None:
    event_record(
        project_id=project.pk,
        verb=verb,
        subject=f"label {label.pk}",
        by=by,
        at=at,
        sentence=sentence,
        after={"label": label.name},
    )
    look_again(Topic.PROJECT.of(project.pk), News.SCHEMA)


def _named(given: str, missing: str, what: str, field: str) -> str:
    """A name as it is kept: two that look the same are one. Raises Invalid."""
    if not tidy(given):
        raise Invalid(missing, field=field)
    try:
        return name_of(given, what)
    except ValueRefused as refused:
        raise Invalid(refusal(refused), field=field) from refused


def _key(given: str) -> str:
    """Raises Invalid for what is not one ASCII letter or digit, or the labeling screen's own key."""
    key = given.strip().upper()
    if key in RESERVED_HOTKEYS:
        raise Invalid(
            gettext("The key {hotkey} is taken by the labeling screen itself.").format(hotkey=key), field="labels"
        )
    try:
        return key_of(given)
    except ValueRefused as refused:
        raise Invalid(refusal(refused), field="labels") from refused


def label_name(given: str, *, field: str, what: str = "") -> str:
    """As `_named`, for whoever changes one. Raises Invalid."""
    what = what or gettext("A label’s name")
    return _named(given, gettext("{what} is empty.").format(what=what), what, field)


def label_key(given: str, *, field: str) -> str:
    """Raises Invalid with the field."""
    try:
        return _key(given)
    except Invalid as refused:
        raise Invalid(refused.message, field=field) from refused


def _own_key(name: str) -> str:
    """A label that is one letter or digit is its own key: the digit 7 is answered with 7."""
    key = name.strip().upper()
    return key if len(key) == 1 and key in HOTKEYS else ""


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(f"“{n}”" for n in names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more labels"
