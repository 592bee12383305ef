"""Calls made up from the schema, good and bad ones, by an annotator and by whoever runs the console: no fault, nothing undescribed.

The same calls each time, so that a failure is there again; `SCHEMATHESIS_EXAMPLES=200` looks longer.
"""

import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, given, settings
from knox.models import AuthToken
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from apps.accounts.models import User
from apps.releases import inference
from tests.architecture.test_roles import Things
from tests.schema.documents import Schema
from tests.schema.test_replies import ANSWER

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "8"))  # of each operation
PARTS = 4  # for the workers of xdist
QUIET = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def failures_of(operation: Any, token: str, ids: dict[str, Any]) -> list[str]:
    """What this operation does wrong, each kind once."""
    found: dict[str, str] = {}

    @QUIET
    @given(case=operation.as_strategy())
    def tried(case: Any) -> None:
        _aim(case, ids)
        with transaction.atomic():  # every call meets the same console
            reply = case.call(headers={"Authorization": f"Token {token}"})
            transaction.set_rollback(True)
        try:
            case.validate_response(reply, checks=CHECKS)
        except FailureGroup as failures:
            for each in failures.exceptions:
                found.setdefault(each.title, _words(each, case, reply))

    tried()
    return list(found.values())


def _words(failure: Any, case: Any, reply: Any) -> str:
    sent = f"{case.method} {case.formatted_path} {case.query!r:.200} {case.body!r:.300}"
    return f"{failure.title}: {sent}: {reply.status_code} {reply.text:.300}: {failure.message:.300}"


def _aim(case: Any, ids: dict[str, Any]) -> None:
    """Mostly at what is there: an address of nothing tells only that it is nothing."""
    for name, value in (case.path_parameters or {}).items():
        if name in ids and isinstance(value, int) and value % 8:
            case.path_parameters[name] = ids[name]


@pytest.fixture
def one_connection() -> Iterator[None]:
    """A request over WSGI ends with its connection, and this test's transaction would end with it."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.usefixtures("one_connection")
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("who", ["annotator", "console"])
def test_no_call_breaks_the_api_and_no_reply_is_undescribed(
    full: Things, schema: Schema, ada: User, alma: User, monkeypatch: pytest.MonkeyPatch, who: str, part: int
) -> None:
    monkeypatch.setattr(inference, "predict", lambda **_: ANSWER)
    full.people["annotator"] = ada
    token = AuthToken.objects.create(user={"annotator": ada, "console": alma}[who])[1]
    loaded = schemathesis.openapi.from_dict(schema.document)
    loaded.app = get_wsgi_application()
    operations = sorted((each.ok() for each in loaded.get_all_operations()), key=lambda o: (o.path, o.method))
    assert len(operations) == len(schema.operations)
    failures = [line for each in operations[part::PARTS] for line in failures_of(each, token, full.ids)]
    assert not failures, "\n".join(failures)
