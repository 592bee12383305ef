"""Set a policy."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext

from apps.accounts.models import User
from apps.audit.services import event_record
from apps.errors import DomainError, Invalid
from apps.pages.sentences import refusal
from apps.projects.models import Project
from apps.projects.policies.kinds import P, PolicyKind, V
from apps.projects.policies.selectors import policy_newest
from apps.rules.policies import PolicyRefused, yaml_read


class PolicyOutdated(DomainError):
    """Somebody set another one after this edit began."""

    code = "policy_outdated"


@transaction.atomic
def policy_set(
    kind: PolicyKind[V, P], *, project: Project, policy: P, by: User, at: datetime, over: int | None = None
) -> V:
    """The next of its versions; what was decided by an earlier one keeps that.

    `over` is the number of the version that the edit began from, 0 for none. Raises PolicyOutdated where another is the
    newest by now; without `over` the last one to set it wins.
    """
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    newest = policy_newest(kind, project)
    last = newest.number if newest else 0
    if over is not None and over != last:
        raise PolicyOutdated(_outdated(newest), number=last)
    row = kind.table._default_manager.create(project=project, number=last + 1, policy=policy.written(), by=by, at=at)
    event_record(
        project_id=project.pk,
        verb=kind.verb,
        subject=f"{kind.name} {row.number}",
        by=by,
        at=at,
        sentence=kind.words(by, row.number, policy),
        after={"policy": row.policy},
    )
    return row


def _outdated(newest: Any) -> str:
    if newest is None:
        return gettext("There is no such policy; none was set so far.")
    return gettext(
        "{by} set policy {number} meanwhile. Nothing of yours is set yet; set it again to replace that."
    ).format(by=newest.by or gettext("Somebody"), number=newest.number)


def policy_given(kind: PolicyKind[V, P], given: object) -> P:
    """Raises Invalid with the sentence of whatever is wrong."""
    try:
        return kind.checked(given)
    except PolicyRefused as refused:
        raise Invalid(refusal(refused), field="policy") from None


def policy_given_yaml(kind: PolicyKind[V, P], text: str) -> P:
    """Raises Invalid."""
    try:
        return kind.checked(yaml_read(text))
    except PolicyRefused as refused:
        raise Invalid(refusal(refused), field="yaml") from None
