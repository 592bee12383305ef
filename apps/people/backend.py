"""The one door for names and passwords: sign-in, the desk's own, and the admin's all come through here."""

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils import timezone

from apps.accounts.models import User
from apps.accounts.services import person_seen
from apps.audit.services import event_record
from apps.audit.verbs import Verb
from apps.people import guessing
from apps.rules.sentences import sentence, term
from apps.rules.values.characters import whole
from apps.rules.values.refusals import ValueRefused

LONGEST_PASSWORD = 4096  # hashing costs time by the character


class GuardedBackend(ModelBackend):
    """Django's own, with waits for those who guess and a line in the audit trail for those who come in."""

    def authenticate(  # type: ignore[override]
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **more: Any
    ) -> User | None:
        """Raises TooMany before anything is hashed, PermissionDenied where Django should ask no other backend."""
        username = username or more.get(get_user_model().USERNAME_FIELD)
        if username is None or password is None:
            return None
        try:
            whole(username + password, term("A sign-in"))
        except ValueRefused:
            raise PermissionDenied from None
        at, address = timezone.now(), request.META.get("REMOTE_ADDR", "") if request is not None else ""
        before = guessing.attempt_begin(username=username, address=address, at=at)
        found = super().authenticate(request, username=username, password=password[:LONGEST_PASSWORD])
        if not isinstance(found, User):
            person = User.objects.filter(username=username).first()
            guessing.attempt_failed(
                username=username, address=address, person=person, failures_before=before, at=timezone.now()
            )
            raise PermissionDenied
        guessing.attempt_right(username=username, address=address)
        self._record(found, guessing.place_of(address), before)
        return found

    def _record(self, person: User, address: str, failures: int) -> None:
        at = timezone.now()
        person_seen(user_id=person.pk, at=at)
        wrong = f" after {failures} wrong passwords" if failures else ""
        event_record(
            project_id=None,
            verb=Verb.SIGNED_IN,
            subject=f"user {person.pk}",
            by=person,
            at=at,
            sentence=sentence(
                "{person} signed in from {address}{wrong}.",
                person=person,
                address=address or term("this machine"),
                wrong=wrong,
            ),
            after={"address": address, "failures": failures},
        )
