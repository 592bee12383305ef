"""Read the secret address of a project, and whose one is."""

from hashlib import sha256

from apps.label_studio.models import StudioBackend
from apps.projects.models import Project


def digest_of(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


def backend_of(project: Project) -> StudioBackend | None:
    return StudioBackend.objects.filter(project=project).select_related("made_by").first()


def backend_with(secret: str) -> StudioBackend | None:
    """None where nobody has this address, or its project is in the archive or goes."""
    in_use = StudioBackend.objects.filter(project__archived_at=None, project__deleting_since=None)
    return in_use.filter(digest=digest_of(secret)).select_related("project").first()
