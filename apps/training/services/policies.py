"""How many runs of a project train at once, and when an incremental run must be a full one."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext

from apps.accounts.models import User
from apps.audit.services import event_record
from apps.audit.verbs import Verb
from apps.errors import Invalid
from apps.pages.numbers import fill
from apps.projects.models import Project
from apps.rules.freshness import FreshnessLimits
from apps.rules.sentences import sentence
from apps.training.models import Policy

FIELDS = ("runs_at_once", "full_after_increments", "full_on_gap", "full_on_schema_change")
MOST_AT_ONCE = 32
MOST_INCREMENTS = 1000


def policy_of(project: Project) -> Policy:
    return Policy.objects.filter(project=project).first() or Policy(project=project)


def limits_of(policy: Policy) -> FreshnessLimits:
    return FreshnessLimits(policy.full_after_increments, policy.full_on_gap, policy.full_on_schema_change)


@transaction.atomic
def policy_set(
    *,
    project: Project,
    runs_at_once: int,
    full_after_increments: int | None,
    full_on_gap: bool,
    full_on_schema_change: bool,
    by: User,
    at: datetime,
) -> Policy:
    """Write all of it. Raises Invalid with the field that is wrong."""
    if not 1 <= runs_at_once <= MOST_AT_ONCE:
        raise Invalid(
            fill(
                gettext("A project trains 1 to {most} runs at once, not {given:,}."),
                most=MOST_AT_ONCE,
                given=runs_at_once,
            ),
            field="runs_at_once",
        )
    if full_after_increments is not None and not 1 <= full_after_increments <= MOST_INCREMENTS:
        raise Invalid(
            fill(
                gettext("A full run follows after 1 to {most:,} incremental ones, not {given:,}."),
                most=MOST_INCREMENTS,
                given=full_after_increments,
            ),
            field="full_after_increments",
        )
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    before = Policy.objects.filter(project=project).values(*FIELDS).first()
    values = {
        "runs_at_once": runs_at_once,
        "full_after_increments": full_after_increments,
        "full_on_gap": full_on_gap,
        "full_on_schema_change": full_on_schema_change,
    }
    policy, _ = Policy.objects.update_or_create(project=project, defaults=values)
    event_record(
        project_id=project.pk,
        verb=Verb.POLICY_SET,
        subject="training policy",
        by=by,
        at=at,
        sentence=sentence("{by} set the training policy.", by=by),
        before=before,
        after=values,
    )
    return policy
