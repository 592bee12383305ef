"""`manage.py restore FILE.tar`: a backup put back into a console that has nothing yet."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import connection

from apps.audit.services import heads_missing
from fastloop_console.machine import env
from fastloop_console.machine.backup import addresses_moved, restore


class Command(BaseCommand):
    help = "Put a backup into an empty console. The next start brings it up to date."
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *, file: Path, **options: Any) -> None:
        empty = not connection.introspection.table_names()
        connection.close()
        about = restore(given=file.resolve(), database=settings.DATABASES["default"], empty=empty)
        with connection.cursor() as cursor:
            addresses_moved(cursor, old=about["root"].rstrip("/"), new=env.storage_url().rstrip("/"))
        cut = heads_missing(about.get("audit", {}))
        if cut:
            self.stderr.write(
                f"The audit trail of {', '.join(cut)} lacks the entry that the backup names as its newest."
            )
        self.stdout.write(f"The console of {about['at'][:16].replace('T', ' ')} UTC is back. Start it with `make run`.")
