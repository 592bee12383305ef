"""Who may listen to what. A topic is `<kind>.<id>`; each app that owns a kind registers its check."""

from collections.abc import Callable

from apps.accounts.models import User

Check = Callable[[User, int], bool]
_checks: dict[str, Check] = {}


def register(kind: str, check: Check) -> None:
    _checks[kind] = check


def may_join(user: User, kind: str, subject_id: int) -> bool:
    check = _checks.get(kind)
    return bool(check and user.is_authenticated and check(user, subject_id))
