"""Read projects."""

from dataclasses import dataclass

from apps.projects.models import GuidelineVersion, Membership, Project, SchemaLabel


@dataclass(frozen=True)
class Schema:
    """The labels of a project in order; positions are the class indices of every model."""

    labels: tuple[SchemaLabel, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(x.name for x in self.labels)

    def by_name(self, name: str) -> SchemaLabel | None:
        return next((x for x in self.labels if x.name == name), None)


def schema_of(project: Project) -> Schema:
    return Schema(tuple(project.labels.all()))


def guidelines_of(project: Project) -> GuidelineVersion | None:
    return project.guidelines.select_related("author").first()


def members_of(project: Project) -> list[Membership]:
    return list(project.memberships.select_related("user").order_by("user__username"))
