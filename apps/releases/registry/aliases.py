"""Names of a person's own that point at versions: set, moved, removed. They change no traffic; that is what a release does."""

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext

from apps.accounts.models import User
from apps.audit.services import event_record
from apps.audit.verbs import Verb
from apps.errors import DomainError, Forbidden, NotFound
from apps.live.publish import look_again
from apps.live.topics import News, Topic
from apps.projects.access import role_of
from apps.projects.models import Project
from apps.projects.roles import Role
from apps.releases.models import Alias, AliasName, ModelVersion
from apps.releases.registry.rules import alias_given, release_rules_of, roles_for
from apps.rules.aliases import same_alias
from apps.rules.sentences import sentence

MOST_ALIASES = 100  # of a project


class TooManyAliases(DomainError):
    code = "too_many_aliases"


def aliases_of(project: Project) -> QuerySet[Alias]:
    """All of them by name, `champion` and `candidate` too."""
    return Alias.objects.filter(project=project).select_related("version", "by").order_by("name")


def own_aliases_of(project: Project) -> list[Alias]:
    """Those that people set."""
    return [alias for alias in aliases_of(project) if alias.name not in AliasName.values]


def alias_named(project: Project, name: str) -> Alias:
    """However it is capitalized. Raises NotFound."""
    found = next((alias for alias in aliases_of(project) if same_alias(alias.name, name)), None)
    if found is None:
        raise NotFound(gettext("No alias of this project is called “{name}”.").format(name=name[:40]))
    return found


def version_numbered(project: Project, number: int) -> ModelVersion:
    """Raises NotFound."""
    found = ModelVersion.objects.filter(project=project, number=number).first() if number < 2**31 else None
    if found is None:
        raise NotFound(gettext("This project has no model v{number}.").format(number=number))
    return found


@transaction.atomic
def alias_set(*, project: Project, name: str, version: ModelVersion, by: User, at: datetime) -> Alias:
    """Point a name at a version, from wherever it pointed. Raises Invalid for a word that is none or means something already,
    Forbidden where its rule gives it to other roles."""
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    name = alias_given(name, field="name")
    mine = own_aliases_of(project)
    have = next((alias for alias in mine if same_alias(alias.name, name)), None)
    _refuse_role(project, have.name if have else name, by)
    if have and have.version_id == version.pk:
        return have
    if have is None and len(mine) >= MOST_ALIASES:
        raise TooManyAliases(gettext("A project has at most {most} aliases.").format(most=MOST_ALIASES))
    was = have.version.number if have else None
    row = have or Alias(project=project, name=name)
    row.version, row.by, row.set_at = version, by, at
    row.save()
    now = version.number
    words = (
        sentence("{by} moved “{name}” to v{now}, was v{was}.", by=by, name=row.name, now=now, was=was)
        if have
        else sentence("{by} set “{name}” to v{now}.", by=by, name=row.name, now=now)
    )
    event_record(
        project_id=project.pk,
        verb=Verb.ALIAS_SET,
        subject=f"alias {row.name}",
        by=by,
        at=at,
        sentence=words,
        before={"version": was} if was is not None else {},
        after={"version": now},
    )
    look_again(Topic.PROJECT.of(project.pk), News.MODEL, version.pk)
    return row


@transaction.atomic
def alias_remove(*, project: Project, name: str, by: User, at: datetime) -> None:
    """Raises NotFound, Forbidden, or Invalid for a name that nobody sets."""
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    alias_given(name, field="name")
    row = alias_named(project, name)
    _refuse_role(project, row.name, by)
    row.delete()
    event_record(
        project_id=project.pk,
        verb=Verb.ALIAS_REMOVED,
        subject=f"alias {row.name}",
        by=by,
        at=at,
        sentence=sentence("{by} removed “{name}”, was v{was}.", by=by, name=row.name, was=row.version.number),
        before={"version": row.version.number},
    )
    look_again(Topic.PROJECT.of(project.pk), News.MODEL, row.version_id)


def _refuse_role(project: Project, name: str, by: User) -> None:
    role, may = role_of(by, project.pk), roles_for(release_rules_of(project), name)
    if role not in may:
        needed = gettext(" or ").join(str(Role(each).label).lower() for each in may)
        raise Forbidden(
            gettext("To set “{name}” you need the role {needed}. Yours is {role}.").format(
                name=name, needed=needed, role=str(Role(role).label).lower() if role else "-"
            )
        )
