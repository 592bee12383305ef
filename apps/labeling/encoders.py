"""The encoder that a project has chosen."""

from apps.features.selectors import default_for, may_choose
from apps.projects.models import Project


def encoder_of(project: Project) -> str:
    """The name of the encoder that a project's next model is trained with; its type's default where it chose none."""
    chosen = project.queue.encoder
    return chosen if may_choose(chosen, project.task_type) else default_for(project.task_type)
