"""`manage.py bench NAME [--json]`: measure, never in timed tests. The code of each bench is in tests/bench/NAME.py."""

import importlib
import json
import pkgutil
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = "Run one bench. With --json the last line is one JSON object; what leads to it goes to standard error."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help=f"one of {', '.join(_known())}")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["name"] not in _known():
            raise CommandError(f"There is no bench “{options['name']}”. There are {', '.join(_known())}.")
        found = importlib.import_module(f"tests.bench.{options['name']}").run(say=self._say)
        if options["json"]:
            self.stdout.write(json.dumps(found))
            return
        for name, value in found.items():
            self.stdout.write(f"{name:<36} {value}")

    def _say(self, line: str) -> None:
        self.stderr.write(line)
        self.stderr.flush()


def _known() -> list[str]:
    package = importlib.import_module("tests.bench")
    return sorted(m.name for m in pkgutil.iter_modules(package.__path__) if not m.name.startswith("_"))
