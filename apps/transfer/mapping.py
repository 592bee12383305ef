"""What a project remembers of the columns of its files."""

from apps.projects import task_types
from apps.projects.models import Project
from apps.transfer.naming import Naming


def naming_of(project: Project) -> Naming:
    return Naming(task_types.get(project.task_type).payload)
