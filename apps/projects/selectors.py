"""Read projects."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from apps.accounts.models import User
from apps.projects.access import may_create_projects, projects_visible_to
from apps.projects.models import GuidelineVersion, Membership, Project, SchemaLabel


@dataclass(frozen=True)
class LabelSchema:
    """The labels of a project in order, retired ones too; positions are the class indices of every model."""

    labels: tuple[SchemaLabel, ...]

    @property
    def offered(self) -> tuple[SchemaLabel, ...]:
        """Those that may still be given, as they are to be shown."""
        return tuple(x for x in self.shown if x.retired_at is None)

    @property
    def shown(self) -> tuple[SchemaLabel, ...]:
        """All of them, in the order in which people see them."""
        return tuple(sorted(self.labels, key=lambda x: (x.place, x.position)))

    def today(self, names: Sequence[str]) -> tuple[str, ...]:
        """What labels are called now that a model or a version knows by these names."""
        now = {former: x.name for x in self.labels for former in x.former_names}
        return tuple(now.get(name, name) for name in names)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(x.name for x in self.labels)

    def by_name(self, name: str) -> SchemaLabel | None:
        return next((x for x in self.labels if x.name == name), None)


def only_project_of(user: User) -> int | None:
    """The key of the single project of somebody who makes none; None where there is a choice."""
    if may_create_projects(user):
        return None
    found = list(projects_visible_to(user).values_list("pk", flat=True)[:2])
    return found[0] if len(found) == 1 else None


def schema_of(project: Project) -> LabelSchema:
    return LabelSchema(tuple(project.labels.all()))


def projects_in_use() -> QuerySet[Project]:
    """For the clock: what is archived starts nothing by itself."""
    return Project.objects.filter(archived_at=None, deleting_since=None)


def guidelines_of(project: Project) -> GuidelineVersion | None:
    return project.guidelines.select_related("author").first()


def members_of(project: Project) -> list[Membership]:
    return list(project.memberships.select_related("user").order_by("user__username"))


def guideline_versions_of(project: Project) -> list[GuidelineVersion]:
    """Newest first."""
    return list(project.guidelines.select_related("author"))


def project_of(project_id: int) -> Project:
    """For a worker, which was sent the id by somebody who had the right."""
    return Project.objects.get(pk=project_id)


def keepers() -> list[User]:
    """Who runs this console and may invite people, for those who need somebody to ask."""
    return list(User.objects.filter(is_superuser=True, is_active=True).order_by("username")[:5])
