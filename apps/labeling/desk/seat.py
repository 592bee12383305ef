"""Who sits at the desk, in one statement: session, person, role and project.

The desk asks at every answer what other pages ask once a page. What is read is what Django's own middleware and
`project_for` read, as fresh; only the unpacking of a session that has not changed since is remembered.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from django.db.models import Model
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from apps.accounts.models import User
from apps.labeling.models import QueueSettings
from apps.projects.models import Project
from apps.projects.roles import GRANTS, Permission, Role
from apps.statements import rows

MOST_REMEMBERED = 2000  # sessions, a few hundred bytes each

_USER = [f.attname for f in User._meta.concrete_fields]
_PROJECT = [f.attname for f in Project._meta.concrete_fields]
_QUEUE = [f.attname for f in QueueSettings._meta.concrete_fields]
_SEAT = f"""
    SELECT s.session_data, m.role, {", ".join(f'u."{f.column}"' for f in User._meta.concrete_fields)},
           {", ".join(f'p."{f.column}"' for f in Project._meta.concrete_fields)},
           {", ".join(f'q."{f.column}"' for f in QueueSettings._meta.concrete_fields)}
    FROM django_session s
    JOIN accounts_user u ON u.id = %(person)s
    LEFT JOIN projects_project p ON p.id = %(project)s
    LEFT JOIN labeling_queuesettings q ON q.project_id = p.id
    LEFT JOIN projects_membership m ON m.project_id = p.id AND m.user_id = u.id
    WHERE s.session_key = %(session)s AND s.expire_date > now()
"""


@dataclass(frozen=True)
class Seat:
    user: User
    project: Project
    role: str

    def may(self, permission: Permission) -> bool:
        return permission in GRANTS[self.role]


_signed_in: OrderedDict[str, tuple[str, int, str]] = OrderedDict()  # session key -> its data, person, their hash


def seat_of(request: HttpRequest, project_id: int) -> Seat | None:
    """None for whoever is not signed in, is not of the project, or whose session is not remembered yet.

    Then the ordinary way decides, and says why not.
    """
    key = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
    known = _signed_in.get(key) or _unpacked(key)
    if known is None:
        return None
    row = next(iter(rows(_SEAT, {"person": known[1], "project": project_id, "session": key})), None)
    if row is None or row[0] != known[0]:
        _signed_in.pop(key, None)
        return None
    return _seat(row, known[2])


def _seat(row: tuple[Any, ...], session_hash: str) -> Seat | None:
    user = User.from_db("default", _USER, list(row[2 : 2 + len(_USER)]))
    of_project, of_queue = row[2 + len(_USER) : -len(_QUEUE)], row[-len(_QUEUE) :]
    role = Role.ADMIN if user.is_superuser else row[1]
    trusted = user.is_active and constant_time_compare(session_hash, user.get_session_auth_hash())
    if not trusted or role is None or of_project[0] is None:
        return None
    project = Project.from_db("default", _PROJECT, _converted(Project, of_project))
    project.queue = QueueSettings.from_db("default", _QUEUE, _converted(QueueSettings, of_queue))
    return Seat(user, project, role)


def _converted(model: type[Model], values: tuple[Any, ...]) -> list[Any]:
    """As the ORM would read them: JSON comes from the database as text."""
    return [
        field.from_db_value(value, None, connection) if value is not None and hasattr(field, "from_db_value") else value
        for field, value in zip(model._meta.concrete_fields, values, strict=True)
    ]


def _unpacked(key: str) -> tuple[str, int, str] | None:
    """The session's person and hash, remembered with the data they were read from."""
    if not key:
        return None
    store = SessionStore(key)
    row = store._get_session_from_db()  # type: ignore[attr-defined]
    found = store.decode(row.session_data) if row else {}
    if SESSION_KEY not in found:
        return None
    kept = (row.session_data, int(found[SESSION_KEY]), str(found.get(HASH_SESSION_KEY, "")))
    _signed_in[key] = kept
    while len(_signed_in) > MOST_REMEMBERED:
        _signed_in.popitem(last=False)
    return kept
