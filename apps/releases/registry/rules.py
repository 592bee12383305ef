"""Who may set which alias, and whether a second person approves releases. Managers say so, engineers release."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext

from apps.accounts.models import User
from apps.audit.services import event_record
from apps.audit.verbs import Verb
from apps.errors import Invalid
from apps.pages.sentences import refusal
from apps.projects.models import Project
from apps.projects.roles import GRANTS, Permission, Role
from apps.releases.models import Approval, ReleaseRules
from apps.rules.aliases import alias_of, same_alias
from apps.rules.sentences import sentence
from apps.rules.values import ValueRefused

MOST_RULES = 50  # aliases with roles of their own
# Whoever may release may set an alias of which no rule speaks; none but who sees models can.
USUAL = tuple(str(role) for role in Role if Permission.PROMOTE in GRANTS[role])
ELIGIBLE = tuple(str(role) for role in Role if Permission.VIEW_RUNS in GRANTS[role])


def release_rules_of(project: Project) -> ReleaseRules:
    """What a manager set, or nothing beside the usual; that row is not saved."""
    found = ReleaseRules.objects.filter(project=project).first()
    return found or ReleaseRules(project=project, approval=Approval.NONE, alias_roles={})


def roles_for(rules: ReleaseRules, alias: str) -> tuple[str, ...]:
    """The roles that may set an alias; an admin always may."""
    own = next((roles for name, roles in rules.alias_roles.items() if same_alias(name, alias)), None)
    return USUAL if own is None else tuple(dict.fromkeys([*own, str(Role.ADMIN)]))


@transaction.atomic
def release_rules_set(
    *, project: Project, approval: str, alias_roles: Mapping[str, Sequence[str]], by: User, at: datetime
) -> ReleaseRules:
    """Raises Invalid for a name that no alias can have, a role that is none, or one that does not see the models."""
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    if approval not in Approval.values:
        known = ", ".join(Approval.values)
        raise Invalid(gettext("Approval is one of {known}.").format(known=known), field="approval")
    told = _checked(alias_roles)
    was = release_rules_of(project)
    if (was.approval, was.alias_roles) == (approval, told):
        return was
    row, _ = ReleaseRules.objects.update_or_create(
        project=project, defaults={"approval": approval, "alias_roles": told, "by": by, "at": at}
    )
    event_record(
        project_id=project.pk,
        verb=Verb.RELEASE_RULES_SET,
        subject=f"project {project.pk}",
        by=by,
        at=at,
        sentence=_words(was.approval, approval, by),
        before={"approval": was.approval, "alias_roles": was.alias_roles},
        after={"approval": approval, "alias_roles": told},
    )
    return row


def _words(was: str, now: str, by: User) -> str:
    if now == was:
        return sentence("{by} set who may set which alias.", by=by)
    if now == Approval.SECOND_PERSON:
        return sentence("{by} set that a release needs a second person.", by=by)
    return sentence("{by} set that a release needs no second person.", by=by)


def alias_given(given: str, *, field: str) -> str:
    """Raises Invalid in the reader's language."""
    try:
        return alias_of(given)
    except ValueRefused as refused:
        raise Invalid(refusal(refused), field=field) from None


def _checked(alias_roles: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    if len(alias_roles) > MOST_RULES:
        raise Invalid(
            gettext("At most {most} aliases can have roles of their own.").format(most=MOST_RULES), field="alias_roles"
        )
    told: dict[str, list[str]] = {}
    for given, roles in alias_roles.items():
        name = alias_given(given, field="alias_roles")
        if twice := next((other for other in told if same_alias(other, name)), None):
            raise Invalid(gettext("“{name}” stands twice.").format(name=twice), field="alias_roles")
        for role in roles:
            if role not in ELIGIBLE:
                words = gettext("“{role}” cannot set “{name}”; these can: {known}.")
                known = ", ".join(ELIGIBLE)
                raise Invalid(words.format(role=str(role)[:40], name=name, known=known), field="alias_roles")
        told[name] = sorted(set(roles))
    return told
