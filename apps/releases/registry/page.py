"""What the page of models shows of the registry: the request that waits, the aliases, and which of them this person may set."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from apps.accounts.models import User
from apps.projects.access import role_of
from apps.projects.models import Project
from apps.releases.models import Alias, Approval
from apps.releases.registry.forms import AliasForm
from apps.releases.registry.requests import request_waiting
from apps.releases.registry.rules import USUAL, release_rules_of, roles_for


def registry_page(project: Project, own: Sequence[Alias], *, user: User, at: datetime) -> dict[str, Any]:
    """In the archive nobody sets anything."""
    rules, role = release_rules_of(project), None if project.archived_at else role_of(user, project.pk)
    ruled = any(role in roles for roles in rules.alias_roles.values())
    return {
        "waiting": request_waiting(project, at),
        "second_person": rules.approval == Approval.SECOND_PERSON,
        "alias_form": AliasForm(),
        "sets_aliases": role in USUAL or ruled,
        "settable": {alias.name for alias in own if role in roles_for(rules, alias.name)},
    }
