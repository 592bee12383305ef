"""API tokens at the door: who, since when, and what of it this token may."""

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.utils import timezone
from django.utils.translation import gettext
from knox.auth import TokenAuthentication
from knox.models import AuthToken
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from apps.accounts.services import person_seen
from apps.errors import Forbidden
from apps.people.models import Scope
from apps.people.tokens import grant_of, token_used
from apps.projects.roles import Permission

if TYPE_CHECKING:
    from rest_framework.views import APIView  # which reads the settings that name this module

USED_TO = timedelta(minutes=1)


class GrantedTokenAuthentication(TokenAuthentication):
    """Knox's own, with the last use written down."""

    def validate_user(self, auth_token: AuthToken) -> tuple[Any, AuthToken]:
        user, token = super().validate_user(auth_token)
        grant, at = grant_of(token), timezone.now()
        if grant is not None and (grant.last_used_at is None or grant.last_used_at < at - USED_TO):
            token_used(grant=grant, at=at)
            person_seen(user_id=user.pk, at=at)
        return user, token


def scope_needed(method: str, needs: Mapping[str, Permission]) -> Scope:
    """The narrowest scope that suffices; one that may write may everything."""
    if needs.get(method) == Permission.PREDICT:
        return Scope.PREDICT
    if needs.get(method) == Permission.SEND_FEEDBACK:
        return Scope.FEEDBACK
    return Scope.READ if method in SAFE_METHODS else Scope.WRITE


class WithinScope(BasePermission):
    """A token of a narrow scope does nothing beyond it, whatever its owner may. Raises Forbidden."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        grant = grant_of(request.auth) if isinstance(request.auth, AuthToken) else None
        if grant is None or grant.scope == Scope.WRITE or request.method == "OPTIONS":
            return True
        if grant.scope == scope_needed(str(request.method), getattr(view, "needs", {})):
            return True
        sentence = gettext("This token may only: {scope}. Make one with a wider scope on the account page.")
        raise Forbidden(sentence.format(scope=grant.get_scope_display().lower()))
