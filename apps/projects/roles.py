"""Roles and what each may do. One table: pages, API, sockets and the test that walks every address all read it."""

from enum import StrEnum

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy


class Role(TextChoices):
    ANNOTATOR = "annotator", gettext_lazy("Annotator")
    REVIEWER = "reviewer", gettext_lazy("Reviewer")
    MANAGER = "manager", gettext_lazy("Manager")
    ENGINEER = "engineer", gettext_lazy("Engineer")
    ADMIN = "admin", gettext_lazy("Admin")


class Permission(StrEnum):
    VIEW_PROJECT = "open the project"
    LABEL = "label"
    REVIEW = "review answers"
    VIEW_QUALITY = "see the quality of answers"
    VIEW_DATA = "see the data"
    ADD_EXAMPLES = "add examples"
    EDIT_PROJECT = "edit labels and guidelines"
    MANAGE_MEMBERS = "manage members"
    EDIT_TARGET = "set targets"
    VIEW_RUNS = "see runs and models"
    START_RUN = "start and cancel runs"
    PROMOTE = "promote and roll back"
    APPROVE_RELEASE = "approve releases"
    SET_GATES = "set the gates"
    OVERRIDE_GATES = "override the gates"
    PREDICT = "ask the champion"
    SEND_FEEDBACK = "send feedback"
    TAKE_MODEL = "download models"
    VIEW_MONITOR = "see monitoring"
    RESOLVE_ALERT = "resolve alarms"
    SET_MONITORS = "set the monitors"
    VIEW_SLA = "see service levels"
    VIEW_AUDIT = "read the audit trail"
    SET_WEBHOOKS = "send events to other systems"
    SET_SOURCES = "set up sources of events"


_P = Permission
_SEE_ALL = {_P.VIEW_PROJECT, _P.VIEW_DATA, _P.VIEW_QUALITY, _P.VIEW_RUNS, _P.VIEW_MONITOR, _P.VIEW_SLA, _P.VIEW_AUDIT}
GRANTS: dict[str, frozenset[Permission]] = {
    Role.ANNOTATOR: frozenset({_P.VIEW_PROJECT, _P.LABEL}),
    Role.REVIEWER: frozenset({_P.VIEW_PROJECT, _P.LABEL, _P.REVIEW, _P.VIEW_QUALITY, _P.VIEW_DATA, _P.VIEW_SLA}),
    Role.MANAGER: frozenset(
        _SEE_ALL
        | {
            _P.LABEL,
            _P.REVIEW,
            _P.ADD_EXAMPLES,
            _P.EDIT_PROJECT,
            _P.MANAGE_MEMBERS,
            _P.EDIT_TARGET,
            _P.SET_GATES,
            _P.OVERRIDE_GATES,
            _P.APPROVE_RELEASE,
            _P.RESOLVE_ALERT,
            _P.SET_MONITORS,
            _P.SEND_FEEDBACK,
            _P.SET_WEBHOOKS,
            _P.SET_SOURCES,
        }
    ),
    Role.ENGINEER: frozenset(
        _SEE_ALL
        | {_P.ADD_EXAMPLES, _P.START_RUN, _P.PROMOTE, _P.APPROVE_RELEASE, _P.SET_GATES, _P.PREDICT, _P.SEND_FEEDBACK}
        | {_P.TAKE_MODEL, _P.RESOLVE_ALERT, _P.SET_MONITORS, _P.SET_WEBHOOKS, _P.SET_SOURCES}
    ),
    Role.ADMIN: frozenset(Permission),
}

# What is left of them in the archive, whose buttons would all be refused; who manages may also take it out.
READING = frozenset(_SEE_ALL | {_P.PREDICT, _P.TAKE_MODEL, _P.MANAGE_MEMBERS})


def roles_with(permission: Permission) -> list[str]:
    return [str(Role(role).label) for role, granted in GRANTS.items() if permission in granted]
