"""Refusals and wrong input as two families. Services raise them; one middleware and one API handler turn them into answers."""

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
