"""Bring a database up to date before a command uses it: on one machine without being asked, elsewhere by a sentence.

The embedded database belongs to this home folder, and whoever updates the checkout expects it to go on. One that
DATABASE_URL names may be anybody's production: it is looked at and never changed, except by `migrate` itself.
"""

import contextlib
import fcntl
import sys
from collections.abc import Iterator
from pathlib import Path

from fastloop_console.machine import env, lifeline, place, snapshot
from fastloop_console.machine.refusals import CannotStart, DatabaseBehind, HomeUnusable, ServersUnavailable

CONNECTS_WITHIN_S = 10


def bring_up_to_date() -> None:
    """Apply what is missing; a few milliseconds where nothing is. Django is set up. Raises DatabaseBehind."""
    missing = missing_migrations()
    if not missing:
        return
    if env.database_url():
        raise DatabaseBehind(
            f"The database that DATABASE_URL names lacks {len(missing)} migration{'s' if missing[1:] else ''}, "
            f"{missing[0]} first. Run: python manage.py migrate"
        )
    with one_at_a_time():
        _apply(missing_migrations())


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Two commands never migrate the embedded database at once, also beside a running console."""
    if env.database_url():
        yield
        return
    with (env.home() / "migrate.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def missing_migrations() -> list[str]:
    """`app.0001_name` of each migration file that the database has not seen, in the order of the installed apps."""
    from django.apps import apps

    seen = _seen()
    return [
        f"{config.label}.{name}"
        for config in apps.get_app_configs()
        for name in _names(Path(config.path) / "migrations")
        if (config.label, name) not in seen
    ]


def _names(folder: Path) -> list[str]:
    return sorted(file.stem for file in folder.glob("[!_]*.py"))


def _seen() -> set[tuple[str, str]]:
    """Through a connection of its own: the pool would wait 15 s for a server that is not there."""
    import psycopg
    from django.db import connection

    parameters = {"connect_timeout": CONNECTS_WITHIN_S, **connection.get_connection_params()}
    try:
        with psycopg.connect(**parameters) as line, line.cursor() as cursor:
            cursor.execute("SELECT to_regclass('django_migrations')")
            if cursor.fetchone() == (None,):
                return set()
            cursor.execute("SELECT app, name FROM django_migrations")
            return set(cursor.fetchall())
    except psycopg.OperationalError as cause:
        kind = DatabaseBehind if env.database_url() else ServersUnavailable
        where = f"{parameters.get('host')}:{parameters.get('port') or 5432}"
        raise kind(f"The database at {where} cannot be reached: {_first_line(cause)}") from None


def _first_line(cause: Exception) -> str:
    return str(cause).strip().splitlines()[0] if str(cause).strip() else type(cause).__name__


def _apply(missing: list[str]) -> None:
    import psycopg
    from django.core.management import call_command
    from django.db import connection
    from django.db.utils import OperationalError

    if not missing:
        return
    print(f"Bringing the database up to date: {len(missing)} migrations.", file=sys.stderr, flush=True)
    try:
        if snapshot.load(connection.get_connection_params()) and not missing_migrations():
            return
        call_command("migrate", verbosity=0)
    except (OperationalError, psycopg.OperationalError) as cause:
        if place.NO_SPACE in str(cause):
            raise HomeUnusable(place.full(env.home())) from None
        raise


def main() -> int | str:
    import django

    lifeline.follow()
    django.setup()
    try:
        bring_up_to_date()
    except CannotStart as refused:
        return str(refused)
    return 0


if __name__ == "__main__":
    sys.exit(main())
