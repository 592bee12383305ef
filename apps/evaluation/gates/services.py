"""Set the policy of gates."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext

from apps.accounts.models import User
from apps.audit.services import event_record
from apps.audit.verbs import Verb
from apps.errors import Invalid
from apps.evaluation.models import GatePolicyVersion, SensitiveColumns
from apps.pages.sentences import refusal
from apps.projects.models import Project
from apps.rules.gates import GatePolicy, gate_policy_of, gate_policy_of_yaml
from apps.rules.policies import PolicyRefused
from apps.rules.sentences import sentence
from apps.rules.values import ValueRefused, name_of
from apps.rules.words import count

MOST_SENSITIVE = 20


@transaction.atomic
def gate_policy_set(*, project: Project, policy: GatePolicy, by: User, at: datetime) -> GatePolicyVersion:
    """The next verdict follows it; those given keep theirs."""
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    last = GatePolicyVersion.objects.filter(project=project).aggregate(n=Max("number"))["n"] or 0
    row = GatePolicyVersion.objects.create(project=project, number=last + 1, policy=policy.written(), by=by, at=at)
    event_record(
        project_id=project.pk,
        verb=Verb.GATE_POLICY_SET,
        subject=f"gate policy {row.number}",
        by=by,
        at=at,
        sentence=sentence(
            "{by} set gate policy {number}, {gates} gates.", by=by, number=row.number, gates=len(policy.gates)
        ),
        after={"policy": row.policy},
    )
    return row


@transaction.atomic
def sensitive_columns_set(*, project: Project, columns: Sequence[str], by: User, at: datetime) -> tuple[str, ...]:
    """Gates on fairness read these and no others. Raises Invalid for a name that no column can have."""
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    try:
        named = [name_of(name, gettext("The column’s name")) for name in columns]
    except ValueRefused as refused:
        raise Invalid(refusal(refused), field="columns") from None
    if len(named) > MOST_SENSITIVE:
        raise Invalid(gettext("At most {most} columns can be marked.").format(most=MOST_SENSITIVE), field="columns")
    marked = list(dict.fromkeys(named))
    row = SensitiveColumns.objects.filter(project=project).first()
    before = row.columns if row else []
    if before == marked:
        return tuple(marked)
    SensitiveColumns.objects.update_or_create(project=project, defaults={"columns": marked, "by": by, "at": at})
    event_record(
        project_id=project.pk,
        verb=Verb.SENSITIVE_SET,
        subject=f"project {project.pk}",
        by=by,
        at=at,
        sentence=sentence("{by} marked {columns} as sensitive.", by=by, columns=count(len(marked), "column")),
        before={"columns": before},
        after={"columns": marked},
    )
    return tuple(marked)


def gate_policy_given(given: object) -> GatePolicy:
    """Raises Invalid with the sentence of whatever is wrong."""
    try:
        return gate_policy_of(given)
    except PolicyRefused as refused:
        raise Invalid(refusal(refused), field="policy") from None


def gate_policy_given_yaml(text: str) -> GatePolicy:
    """Raises Invalid."""
    try:
        return gate_policy_of_yaml(text)
    except PolicyRefused as refused:
        raise Invalid(refusal(refused), field="yaml") from None
