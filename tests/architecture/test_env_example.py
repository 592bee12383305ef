"""`.env.example` and fastloop_console/machine/env.py name the same variables, and nobody else reads the environment."""

import ast
import re

from fastloop_console.machine.env import ROOT

ASSIGNED = re.compile(r"^#?\s*([A-Z][A-Z0-9_]+)=", re.MULTILINE)
READS = re.compile(r"os\.(getenv|environ\.get|environ\[|environ\.items)")


def read_by_env() -> set[str]:
    """The first argument of every call `_env.<kind>("NAME", ...)`."""
    calls = (
        n
        for n in ast.walk(ast.parse((ROOT / "fastloop_console/machine/env.py").read_text()))
        if isinstance(n, ast.Call)
    )
    return {
        str(call.args[0].value)
        for call in calls
        if isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "_env"
        and call.args
        and isinstance(call.args[0], ast.Constant)
    }


def test_the_example_names_every_variable_and_no_other() -> None:
    names = read_by_env()
    assert {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "PORT"} <= names
    assert set(ASSIGNED.findall((ROOT / ".env.example").read_text())) == names


def test_only_env_reads_the_environment() -> None:
    modules = [p for folder in ("apps", "workers", "fastloop_console") for p in (ROOT / folder).rglob("*.py")]
    readers = {p.relative_to(ROOT).as_posix() for p in modules if READS.search(p.read_text())}
    assert readers <= {"fastloop_console/machine/env.py"}
