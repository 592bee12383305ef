"""The OpenAPI schema says everything, without a warning."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator

from fastloop_console.machine.env import ROOT


def test_the_api_schema_is_valid_and_complete(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "manage.py",
        "spectacular",
        "--validate",
        "--fail-on-warn",
        "--file",
        str(tmp_path / "schema.yml"),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "/api/v1/projects/{project_id}/examples/" in (tmp_path / "schema.yml").read_text()


@pytest.fixture(scope="module")
def operations() -> dict[str, Any]:
    schema = SchemaGenerator().get_schema(request=None, public=True)
    return {op["operationId"]: op for path in schema["paths"].values() for op in path.values()}


def test_every_operation_says_which_scope_of_a_token_suffices(operations: dict[str, Any]) -> None:
    found = {name: tuple(op["x-token-scopes"]) for name, op in operations.items()}
    assert len(found) > 60 and set(found.values()) == {
        ("read", "write"),
        ("predict", "write"),
        ("feedback", "write"),
        ("write",),
    }
    assert found["examples_list"] == ("read", "write") and found["runs_create"] == ("write",)
    assert all(
        f"Scope of the token: {' or '.join(found[name])}." in op["description"] for name, op in operations.items()
    )


def test_what_makes_a_caller_wait_says_so_with_its_header_and_nothing_else_does(operations: dict[str, Any]) -> None:
    waiting = {name: op["responses"]["429"] for name, op in operations.items() if "429" in op["responses"]}
    assert "models_download" in waiting and len(waiting) == 2
    for reply in waiting.values():
        assert reply["headers"]["Retry-After"]["schema"] == {"type": "integer"}
        assert "application/problem+json" in reply["content"]


def test_a_body_that_is_too_large_is_a_documented_problem_of_whatever_takes_one(operations: dict[str, Any]) -> None:
    assert "413" in operations["runs_create"]["responses"] and "413" not in operations["examples_list"]["responses"]
