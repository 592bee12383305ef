"""Whether the session that a socket was opened in still holds, and for whom."""

from importlib import import_module

from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest

from apps.accounts.models import User


def person_of_session(key: str | None) -> User | None:
    """None after sign-out, a changed password, ended sessions or a switched-off account."""
    if not key:
        return None
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(key)
    found = get_user(request)
    return found if isinstance(found, User) else None
