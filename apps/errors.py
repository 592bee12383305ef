"""Refusals and wrong input as two families. Services raise them; one middleware and one API handler turn them into answers."""

import errno
from typing import Any


class DomainError(Exception):
    """The rules of the loop say no. The message is shown to the person as it is: what is true, what is safe, what is next."""

    code = "refused"
    http_status = 409

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class Invalid(DomainError):
    """The input cannot be taken as it is."""

    code = "invalid"
    http_status = 422


class Forbidden(DomainError):
    """The person lacks the role; the message says which role and who can give it."""

    code = "forbidden"
    http_status = 403


class NotFound(DomainError):
    code = "not_found"
    http_status = 404


class TooMany(DomainError):
    """Too often, or too many at once; the message says when it is worth another try."""

    code = "too_many"
    http_status = 429


class DiskFull(DomainError):
    """What was sent could not be written; answers that were acknowledged before are safe."""

    code = "disk_full"
    http_status = 507


_FULL = ("No space left on device", "Disk quota exceeded")


def full_disk_behind(error: BaseException | None) -> bool:
    """Whether this, or what led to it, is a disk that is full: the system's, PostgreSQL's or Redis's words for it."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT) or any(words in str(error) for words in _FULL):
            return True
        error = error.__cause__ or error.__context__
    return False
