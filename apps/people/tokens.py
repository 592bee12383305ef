"""API tokens: made with a name, a scope and an end, listed, and ended by their owner or an admin."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext
from knox.models import AuthToken

from apps.accounts.models import User
from apps.audit.services import event_record
from apps.audit.verbs import Verb
from apps.errors import NotFound
from apps.people.models import TokenGrant
from apps.rules.sentences import sentence

LASTS_DAYS = 90  # where nobody says otherwise


def tokens_of(user: User, *, at: datetime) -> QuerySet[AuthToken]:
    """Newest first, each with its `grant` where it has one; those that ended are gone."""
    alive = AuthToken.objects.filter(user=user).exclude(expiry__lt=at)
    found: QuerySet[AuthToken] = alive.select_related("grant").order_by("-created")
    return found


def grant_of(token: AuthToken) -> TokenGrant | None:
    """None for a token of an earlier release."""
    found: TokenGrant | None = getattr(token, "grant", None)
    return found


@transaction.atomic
def token_create(*, user: User, name: str, scope: str, lasts: timedelta | None, at: datetime) -> str:
    """The token itself. It is shown once: only its digest is kept."""
    token, words = AuthToken.objects.create(user=user, expiry=lasts)
    TokenGrant.objects.create(token=token, name=name, scope=scope)
    ends = f"{token.expiry:%Y-%m-%d %H:%M}" if token.expiry else None
    event_record(
        project_id=None,
        verb=Verb.TOKEN_MADE,
        subject=f"user {user.pk}",
        by=user,
        at=at,
        sentence=sentence(
            "{user} made the token “{name}” ({scope}), until {ends}.", user=user, name=name, scope=scope, ends=ends
        )
        if ends
        else sentence("{user} made the token “{name}” ({scope}), without an end.", user=user, name=name, scope=scope),
        after={"name": name, "scope": scope, "ends": ends},
    )
    return str(words)


@transaction.atomic
def token_used(*, grant: TokenGrant, at: datetime) -> None:
    TokenGrant.objects.filter(pk=grant.pk).update(last_used_at=at)


@transaction.atomic
def token_revoke(*, owner: User, key: str, by: User, at: datetime) -> None:
    """End one, named by its first characters. Raises NotFound for what is not the owner's, or not for `by` to end."""
    token = AuthToken.objects.filter(user=owner, token_key=key).select_related("grant").first()
    if token is None or not (by.pk == owner.pk or by.is_superuser):
        raise NotFound(gettext("You have no such token; it may have been revoked already."))
    grant = grant_of(token)
    name = grant.name if grant else token.token_key
    token.delete()
    event_record(
        project_id=None,
        verb=Verb.TOKEN_REVOKED,
        subject=f"user {owner.pk}",
        by=by,
        at=at,
        sentence=sentence("{by} revoked the token “{name}” of {owner}.", by=by, name=name, owner=owner.signed),
        after={"name": name, "owner": owner.username},
    )


def tokens_end(*, owner: User) -> int:
    """All of a person's; how many there were. Whoever calls writes it down."""
    return sum(token.delete()[0] > 0 for token in AuthToken.objects.filter(user=owner))
