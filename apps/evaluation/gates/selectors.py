"""Read which columns are marked as sensitive."""

from apps.evaluation.models import SensitiveColumns
from apps.projects.models import Project


def sensitive_columns_of(project: Project) -> tuple[str, ...]:
    found = SensitiveColumns.objects.filter(project=project).first()
    return tuple(found.columns) if found else ()
