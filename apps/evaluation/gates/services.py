"""Set the policy of gates."""

from datetime import datetime

from django.db import transaction
from django.db.models import Max

from apps.accounts.models import User
from apps.audit.services import event_record
from apps.audit.verbs import Verb
from apps.errors import Invalid
from apps.evaluation.models import GatePolicyVersion
from apps.projects.models import Project
from apps.rules.gates import GatePolicy, gate_policy_of, gate_policy_of_yaml
from apps.rules.policies import PolicyRefused
from apps.rules.sentences import sentence


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


def gate_policy_given(given: object) -> GatePolicy:
    """Raises Invalid with the sentence of whatever is wrong."""
    try:
        return gate_policy_of(given)
    except PolicyRefused as refused:
        raise Invalid(str(refused), field="policy") from None


def gate_policy_given_yaml(text: str) -> GatePolicy:
    """Raises Invalid."""
    try:
        return gate_policy_of_yaml(text)
    except PolicyRefused as refused:
        raise Invalid(str(refused), field="yaml") from None
