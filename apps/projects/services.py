"""Make and change projects, their labels, guidelines and members."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.audit.services import english, event_record, project_scope
from apps.errors import Forbidden, Invalid
from apps.live.publish import look_again
from apps.projects import task_types
from apps.projects.access import role_of
from apps.projects.models import GuidelineVersion, Membership, Project, SchemaLabel
from apps.projects.roles import Role
from apps.rules.acquisition import DEFAULT

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
    overlap: int = 1,
    strategy: str = DEFAULT,
    by: User,
    at: datetime,
) -> Project:
    """Make a project; its creator becomes its admin. Raises Invalid in words, Forbidden for those who may not."""
    if not (by.may_create_projects or by.is_superuser):
        raise Forbidden(
            gettext("You may label and look, but not create projects. An admin can allow it on your account.")
        )
    name = name.strip()
    if not name:
        raise Invalid(gettext("The project needs a name."), field="name")
    if Project.objects.filter(name__iexact=name).exists():
        raise Invalid(gettext("A project named “{name}” exists already.").format(name=name), field="name")
    if task_type not in dict(task_types.choices()):
        known = ", ".join(dict(task_types.choices()))
        raise Invalid(
            gettext("The task type “{task_type}” is not known. Known are {known}.").format(
                task_type=task_type, known=known
            ),
            field="task_type",
        )
    task = task_types.get(task_type)
    if task.labels:
        labels = [LabelSpec(x) for x in task.labels]
    project = Project.objects.create(
        name=name,
        slug=_free_slug(name),
        task_type=task_type,
        holdout_share=holdout_share,
        holdout_salt=secrets.token_hex(8),
        overlap=overlap,
        strategy=strategy,
        created_by=by,
        created_at=at,
    )
    Membership.objects.create(project=project, user=by, role=Role.ADMIN)
    schema_extend(project=project, labels=labels, by=by, at=at, audit=False)
    GuidelineVersion.objects.create(project=project, number=1, text=guidelines, author=by, created_at=at)
    event_record(
        scope=project_scope(project.pk),
        verb="project.created",
        subject=f"project {project.pk}",
        by=by,
        at=at,
        sentence=f"{by} created the project with {len(labels)} labels.",
        after={"task_type": task_type},
    )
    return project


def _free_slug(name: str) -> str:
    base = slugify(name)[:70] or "project"
    taken = set(Project.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    return next(s for s in (base, *(f"{base}-{n}" for n in range(2, 10_000))) if s not in taken)


@transaction.atomic
def schema_extend(
    *, project: Project, labels: Sequence[LabelSpec], by: User, at: datetime, audit: bool = True
) -> list[SchemaLabel]:
    """Append labels. Colors and hotkeys that are not given are chosen without collision."""
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    have = list(project.labels.all())
    names, keys = {x.name.casefold() for x in have}, {x.hotkey for x in have}
    wanted = {s.hotkey.strip().upper() or _own_key(s.name) for s in labels}
    free_keys = iter(k for k in HOTKEYS if k not in keys | wanted)
    made = []
    for position, spec in enumerate(labels, start=len(have)):
        name, hotkey = spec.name.strip(), spec.hotkey.strip().upper()
        if not name:
            raise Invalid(gettext("A label needs a name."), field="labels")
        if len(name) > 80:
            raise Invalid(
                gettext("The label “{name}…” is longer than 80 characters.").format(name=name[:30]), field="labels"
            )
        if name.casefold() in names:
            raise Invalid(gettext("The label “{name}” is there twice.").format(name=name), field="labels")
        if hotkey in RESERVED_HOTKEYS:
            raise Invalid(
                gettext("The key {hotkey} is taken by the labeling screen itself.").format(hotkey=hotkey),
                field="labels",
            )
        if hotkey and hotkey in keys:
            raise Invalid(gettext("The key {hotkey} is given to two labels.").format(hotkey=hotkey), field="labels")
        own = _own_key(name)
        hotkey = hotkey or (own if own not in keys else "") or next(free_keys, "")
        names.add(name.casefold())
        keys.add(hotkey)
        color = spec.color or PALETTE[position % len(PALETTE)]
        made.append(SchemaLabel(project=project, name=name, color=color, hotkey=hotkey, position=position))
    SchemaLabel.objects.bulk_create(made)
    if audit and made:
        event_record(
            scope=project_scope(project.pk),
            verb="schema.extended",
            subject=f"project {project.pk}",
            by=by,
            at=at,
            sentence=f"{by} added {_listed([m.name for m in made])}.",
            after={"labels": [m.name for m in made]},
        )
        look_again(f"project.{project.pk}", "schema")
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
        scope=project_scope(project.pk),
        verb="guidelines.written",
        subject=f"guidelines {version.number}",
        by=by,
        at=at,
        sentence=f"{by} wrote version {version.number} of the guidelines.",
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
    _label_recorded(project, label, "schema.retired", f"{by} retired “{name}”: it is offered no longer.", by, at)
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
    _label_recorded(project, label, "schema.restored", f"{by} offers “{name}” again.", by, at)
    return label


def _label_recorded(project: Project, label: SchemaLabel, verb: str, sentence: str, by: User, at: datetime) -> None:
    event_record(
        scope=project_scope(project.pk),
        verb=verb,
        subject=f"label {label.pk}",
        by=by,
        at=at,
        sentence=sentence,
        after={"label": label.name},
    )
    look_again(f"project.{project.pk}", "schema")


@transaction.atomic
def rate_set(*, project: Project, hourly_rate: Decimal | None, currency: str, by: User, at: datetime) -> Project:
    """What an hour of one annotator costs, for the advice whether to go on; None when nobody says."""
    locked = Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    before = {"hourly_rate": _money(locked.hourly_rate), "currency": locked.currency}
    locked.hourly_rate, locked.currency = hourly_rate, currency.upper()
    after = {"hourly_rate": _money(hourly_rate), "currency": locked.currency}
    if after == before:
        return locked
    locked.save(update_fields=["hourly_rate", "currency"])
    words = "removed the rate" if hourly_rate is None else f"set the rate to {hourly_rate} {locked.currency} an hour"
    event_record(
        scope=project_scope(project.pk),
        verb="rate.set",
        subject=f"project {project.pk}",
        by=by,
        at=at,
        sentence=f"{by} {words}.",
        before=before,
        after=after,
    )
    return locked


def _money(amount: Decimal | None) -> str:
    return "" if amount is None else f"{amount:.2f}"


@transaction.atomic
def member_set(*, project: Project, username: str, role: str, by: User, at: datetime) -> Membership:
    """Give a person a role, or change it. Only an admin makes or unmakes admins; the last one keeps theirs."""
    if role not in Role.values:
        raise Invalid(
            gettext("The role “{role}” is not known. Known are {values}.").format(
                role=role, values=", ".join(Role.values)
            ),
            field="role",
        )
    person = User.objects.filter(username__iexact=username.strip(), is_active=True).first()
    if person is None:
        raise Invalid(gettext("Nobody signs in as “{username}”.").format(username=username), field="username")
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    before = Membership.objects.filter(project=project, user=person).first()
    if Role.ADMIN in (role, before.role if before else ""):
        _only_by_admin(project, by)
    if before and before.role == Role.ADMIN and role != Role.ADMIN:
        _keep_one_admin(project)
    membership, _ = Membership.objects.update_or_create(project=project, user=person, defaults={"role": role})
    event_record(
        scope=project_scope(project.pk),
        verb="member.set",
        subject=f"user {person.pk}",
        by=by,
        at=at,
        sentence=f"{by} made {person} {english(Role(role).label).lower()}.",
        before={"role": before.role if before else None},
        after={"role": role},
    )
    return membership


@transaction.atomic
def member_remove(*, project: Project, user_id: int, by: User, at: datetime) -> None:
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    membership = Membership.objects.select_related("user").filter(project=project, user_id=user_id).first()
    if membership is None:
        return
    if membership.role == Role.ADMIN:
        _only_by_admin(project, by)
        _keep_one_admin(project)
    event_record(
        scope=project_scope(project.pk),
        verb="member.removed",
        subject=f"user {user_id}",
        by=by,
        at=at,
        sentence=f"{by} removed {membership.user}.",
        before={"role": membership.role},
    )
    membership.delete()


def _only_by_admin(project: Project, by: User) -> None:
    """A manager who could make admins could make themselves one, and then promote models."""
    if role_of(by, project.pk) != Role.ADMIN:
        words = "Only an admin of the project makes somebody admin or takes that role away."
        raise Forbidden(words, project_id=project.pk)


def _keep_one_admin(project: Project) -> None:
    if Membership.objects.filter(project=project, role=Role.ADMIN).count() < 2:
        raise Invalid(gettext("A project keeps at least one admin. Make somebody else admin first."), field="role")


def _own_key(name: str) -> str:
    """A label that is one letter or digit is its own key: the digit 7 is answered with 7."""
    key = name.strip().upper()
    return key if len(key) == 1 and key in HOTKEYS else ""


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(f"“{n}”" for n in names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more labels"
