"""`manage.py backup FILE.tar`: the whole console in one file, while it runs."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from apps.audit.services import heads
from fastloop_console.machine.backup import backup


class Command(BaseCommand):
    help = "Write the database, the files and the key into one new file. It holds everything: keep it as you keep passwords."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *, file: Path, **options: Any) -> None:
        size = backup(to=file.resolve(), database=settings.DATABASES["default"], at=timezone.now(), heads=heads())
        self.stdout.write(
            f"{file} holds the console, {size / 1e6:,.1f} MB. `manage.py restore {file}` puts it into an empty one."
        )
