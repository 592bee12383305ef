"""Who a page about people may speak of: members, and those who have answered and left."""

from collections.abc import Iterable

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.errors import NotFound
from apps.labeling.models import Annotation
from apps.projects.models import Membership, Project


def member(project: Project, user_id: int) -> User:
    """Raises NotFound for anybody who has nothing to do with the project."""
    joined = Exists(Membership.objects.filter(project=project, user=OuterRef("pk")))
    answered = Exists(Annotation.objects.filter(project=project, annotator=OuterRef("pk")))
    user = User.objects.filter(joined | answered, pk=user_id).first()
    if user is None:
        raise NotFound(_("This person has nothing to do with this project."))
    return user


def names_of(user_ids: Iterable[int]) -> dict[int, str]:
    """Names, told apart by the user name where two people share one."""
    users = User.objects.in_bulk(list(user_ids))
    times: dict[str, int] = {}
    for user in users.values():
        times[str(user)] = times.get(str(user), 0) + 1
    return {pk: str(u) if times[str(u)] == 1 else f"{u} ({u.username})" for pk, u in users.items()}
