"""`manage.py bench NAME [its own arguments] [--json]`: measure, never in timed tests. The code is in tests/bench/NAME.py.

A bench is a module with `run(*, say, **options) -> dict`; with `add_arguments(parser)` it declares the options it takes.
"""

import argparse
import importlib
import json
import pkgutil
from types import ModuleType
from typing import Any

from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = "Run one bench. With --json the last line is one JSON object; what leads to it goes to standard error."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true")
        parser.add_argument("name", help=f"one of {', '.join(_known())}")
        parser.add_argument("rest", nargs=argparse.REMAINDER, help="what the bench itself takes: bench NAME --help")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["name"] not in _known():
            raise CommandError(f"There is no bench “{options['name']}”. There are {', '.join(_known())}.")
        bench = importlib.import_module(f"tests.bench.{options['name']}")
        own = _own_options(bench, options["name"], options["rest"])
        as_json = own.pop("json") or options["json"]
        found = bench.run(say=self._say, **own)
        if as_json:
            self.stdout.write(json.dumps(found))
            return
        for name, value in found.items():
            self.stdout.write(f"{name:<36} {value}")

    def _say(self, line: str) -> None:
        self.stderr.write(line)
        self.stderr.flush()


def _own_options(bench: ModuleType, name: str, rest: list[str]) -> dict[str, Any]:
    parser = argparse.ArgumentParser(prog=f"manage.py bench {name}", description=bench.__doc__)
    parser.add_argument("--json", action="store_true")
    if hasattr(bench, "add_arguments"):
        bench.add_arguments(parser)
    return vars(parser.parse_args(rest))


def _known() -> list[str]:
    package = importlib.import_module("tests.bench")
    return sorted(m.name for m in pkgutil.iter_modules(package.__path__) if not m.name.startswith("_"))
