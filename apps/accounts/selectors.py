"""Read accounts."""

from django.db.models import QuerySet
from knox.models import AuthToken

from apps.accounts.models import User


def tokens_of(user: User) -> QuerySet[AuthToken]:
    """Newest first."""
    tokens: QuerySet[AuthToken] = AuthToken.objects.filter(user=user).order_by("-created")
    return tokens


def person_as_stored(user: User) -> User:
    """A fresh copy: a form writes into its instance even when it is refused."""
    return User.objects.get(pk=user.pk)
