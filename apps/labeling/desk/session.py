"""Who is at the desk, in one statement: session, person, role, and the project with its queue.

The desk asks at every answer what other pages ask once a page. What is read is what Django's own middleware and
`project_for` read, as fresh; only the unpacking of a session that has not changed since is remembered.
"""

from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db.models import Model
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from apps.accounts.models import User
from apps.labeling import memory
from apps.labeling.models import QueueSettings
from apps.projects.models import Project
from apps.projects.roles import GRANTS, Permission, Role
from apps.statements import rows


def _columns(model: type[Model], alias: str) -> str:
    return ", ".join(f'{alias}."{field.column}"' for field in model._meta.concrete_fields)


_USER, _PROJECT, _QUEUE = ([f.attname for f in m._meta.concrete_fields] for m in (User, Project, QueueSettings))
_SESSION = f"""
    SELECT s.session_data, m.role, {_columns(User, "u")}, {_columns(Project, "p")}, {_columns(QueueSettings, "q")}
    FROM django_session s
    JOIN accounts_user u ON u.id = %(person)s
    JOIN projects_project p ON p.id = %(project)s
    JOIN labeling_queuesettings q ON q.project_id = p.id
    LEFT JOIN projects_membership m ON m.project_id = p.id AND m.user_id = u.id
    WHERE s.session_key = %(session)s AND s.expire_date > now()
      AND p.archived_at IS NULL AND p.deleting_since IS NULL
"""


@dataclass(frozen=True)
class DeskSession:
    user: User
    project: Project
    role: str

    def may(self, permission: Permission) -> bool:
        return permission in GRANTS[self.role]


def desk_session(request: HttpRequest, project_id: int) -> DeskSession | None:
    """None for whoever is not signed in, is not of the project, or whose session is not remembered yet, and in the archive.

    Then the ordinary way decides, and says why not.
    """
    key = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
    known = memory.sessions.get(key) or _unpacked(key)
    if known is None:
        return None
    found = rows(_SESSION, {"person": known[1], "project": project_id, "session": key})
    if not found or found[0][0] != known[0]:
        memory.sessions.forget(key)
        return None
    role, columns = found[0][1], found[0][2:]
    user = User.from_db("default", _USER, columns[: len(_USER)])
    trusted = user.is_active and constant_time_compare(known[2], user.get_session_auth_hash())
    if not trusted or not (role or user.is_superuser):
        return None
    project = Project.from_db("default", _PROJECT, columns[len(_USER) : -len(_QUEUE)])
    project.queue = QueueSettings.from_db("default", _QUEUE, columns[-len(_QUEUE) :])
    return DeskSession(user, project, Role.ADMIN if user.is_superuser else role)


def _unpacked(key: str) -> tuple[str, int, str] | None:
    """The session's person and hash, remembered with the data they were read from."""
    if not key:
        return None
    store = SessionStore(key)
    row = store._get_session_from_db()  # type: ignore[attr-defined]
    found = store.decode(row.session_data) if row else {}
    if SESSION_KEY not in found:
        return None
    known = (row.session_data, int(found[SESSION_KEY]), str(found.get(HASH_SESSION_KEY, "")))
    memory.sessions.put(key, known)
    return known
