"""Read a policy in force, and the earlier ones."""

from typing import Any

from django.db.models import QuerySet

from apps.projects.models import Project
from apps.projects.policies.kinds import P, PolicyKind, V


def policies_of(kind: PolicyKind[V, Any], project: Project) -> QuerySet[V]:
    """Newest first."""
    return kind.table._default_manager.filter(project=project).select_related("by").order_by("-number")


def policy_newest(kind: PolicyKind[V, Any], project: Project) -> V | None:
    return policies_of(kind, project).first()


def policy_read(kind: PolicyKind[V, P], version: V | None) -> P:
    """What it says; None is what holds where nobody set one."""
    return kind.kept(version.policy) if version else kind.standing()


def policy_in_force(kind: PolicyKind[V, P], project: Project) -> P:
    return policy_read(kind, policy_newest(kind, project))
