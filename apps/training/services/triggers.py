"""Edit the trigger that starts runs by itself."""

from datetime import datetime

from django.db import transaction

from apps.accounts.models import User
from apps.audit.services import event_record, project_scope
from apps.errors import Invalid
from apps.projects.models import Project
from apps.training.models import RunKind, Trigger


def trigger_of(project: Project) -> Trigger:
    return Trigger.objects.filter(project=project).first() or Trigger(project=project)


@transaction.atomic
def trigger_set(
    *, project: Project, enabled: bool, new_labels: int, debounce_s: int, kind: str, by: User, at: datetime
) -> Trigger:
    if new_labels < 1:
        raise Invalid("The trigger needs at least 1 new label.", field="new_labels")
    if kind not in RunKind.values:
        raise Invalid(f"The kind “{kind}” is not known. Known are {', '.join(RunKind.values)}.", field="kind")
    trigger, _ = Trigger.objects.update_or_create(
        project=project,
        defaults={"enabled": enabled, "new_labels": new_labels, "debounce_s": max(debounce_s, 0), "kind": kind},
    )
    words = f"after {new_labels} new labels, {kind}" if enabled else "off"
    event_record(
        scope=project_scope(project.pk), verb="trigger.set", subject="trigger", by=by, at=at,
        sentence=f"{by} set the training trigger: {words}.",
        after={"enabled": enabled, "new_labels": new_labels, "debounce_s": debounce_s, "kind": kind},
    )  # fmt: skip
    return trigger
