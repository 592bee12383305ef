"""Read the policy of gates in force, and the earlier ones."""

from django.db.models import QuerySet

from apps.evaluation.models import GatePolicyVersion, SensitiveColumns
from apps.projects.models import Project
from apps.rules.gates import GatePolicy, kept_gate_policy, standing_policy


def sensitive_columns_of(project: Project) -> tuple[str, ...]:
    found = SensitiveColumns.objects.filter(project=project).first()
    return tuple(found.columns) if found else ()


def gate_policies_of(project: Project) -> QuerySet[GatePolicyVersion]:
    """Newest first."""
    return GatePolicyVersion.objects.filter(project=project).select_related("by")


def gate_policy_newest(project: Project) -> GatePolicyVersion | None:
    return gate_policies_of(project).first()


def gate_policy_read(version: GatePolicyVersion | None) -> GatePolicy:
    """What it says; None is what judges where nobody set one."""
    return kept_gate_policy(version.policy) if version else standing_policy()


def gate_policy_in_force(project: Project) -> GatePolicy:
    return gate_policy_read(gate_policy_newest(project))
