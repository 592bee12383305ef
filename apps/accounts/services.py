"""Change accounts and their API tokens."""

from datetime import timedelta

from django.db import transaction
from django.utils.translation import gettext
from knox.models import AuthToken

from apps.accounts.models import User
from apps.errors import NotFound


@transaction.atomic
def name_set(*, user: User, display_name: str) -> User:
    user.display_name = display_name.strip()
    user.save(update_fields=["display_name"])
    return user


@transaction.atomic
def token_create(*, user: User, lasts: timedelta | None) -> str:
    """The token itself. It is shown once: only its digest is kept."""
    _, token = AuthToken.objects.create(user=user, expiry=lasts)
    return str(token)


@transaction.atomic
def token_revoke(*, user: User, key: str) -> None:
    """End one of the person's own tokens, named by its first characters. Raises NotFound for anybody else's."""
    gone, _ = AuthToken.objects.filter(user=user, token_key=key).delete()
    if not gone:
        raise NotFound(gettext("You have no such token; it may have been revoked already."))
