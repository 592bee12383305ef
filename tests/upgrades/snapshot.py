"""Write `fastloop_console/machine/snapshot.sql` anew from the migrations: `python -m tests.upgrades.snapshot`."""

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastloop_console.machine import env, place, snapshot

# Comments, settings of the session, psql's own commands, empty lines.
NOT_KEPT = re.compile(r"^(--.*|SET .*|SELECT pg_catalog\.set_config.*|\\.*)?\n", re.MULTILINE)
PROGRAM = {"HOST": "PGHOST", "PORT": "PGPORT", "USER": "PGUSER", "PASSWORD": "PGPASSWORD"}


def dumped(database: Mapping[str, Any], *options: str) -> str:
    """The schema and the rows of a database of the embedded server, as SQL alone."""
    where = place.read(env.home())
    assert where is not None
    command = [str(Path(where.postgres_bin) / "pg_dump"), "--no-owner", "--no-privileges", "--rows-per-insert=500"]
    login = {variable: str(database[name]) for name, variable in PROGRAM.items()}
    done = subprocess.run(
        [*command, *options, str(database["NAME"])], env=login, check=True, capture_output=True, text=True
    )
    return NOT_KEPT.sub("", done.stdout)


def main() -> None:
    import django
    from django.core.management import call_command
    from django.db import connection

    import tests.servers  # noqa: F401  starts them

    django.setup()
    call_command("migrate", verbosity=0)
    snapshot.FILE.write_text(dumped(connection.settings_dict))
    print(f"{snapshot.FILE.name}: {snapshot.FILE.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
