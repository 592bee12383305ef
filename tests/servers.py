"""A pytest plugin, loaded first: real PostgreSQL and Redis for the whole suite, before Django reads its settings."""

import atexit
import contextlib
import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest


def _forgetful(database: str) -> None:
    """Nothing of a test's database outlives the test, so no write of it waits for a disk."""
    import psycopg

    with psycopg.connect(database, autocommit=True) as connection:
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            connection.execute(f"ALTER SYSTEM SET {setting} = off")
        connection.execute("SELECT pg_reload_conf()")


def _template(database: str) -> str:
    """A database of the snapshot, for every test database to be copied from; its name."""
    import psycopg

    from fastloop_console.machine import snapshot

    name = "fastloop_template"
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    snapshot.load({"conninfo": f"{database.rpartition('/')[0]}/{name}"})
    return name


def _start() -> None:
    """Start the embedded servers once; xdist's workers inherit the addresses."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "fastloop_console.settings.test"  # Celery's app would ask for the local one
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # or each console's every process compiles everything anew
    sys.dont_write_bytecode = False
    if os.environ.get("FASTLOOP_TEST_SERVERS"):
        return
    home = Path(tempfile.mkdtemp(prefix="fastloop-test-"))
    (home / "static").mkdir()  # WhiteNoise warns where it is missing
    home.chmod(0o755)  # as root, PostgreSQL's own user must reach its data below
    os.environ.update(FASTLOOP_HOME=str(home), FASTLOOP_TEST_SERVERS="1", HF_HUB_OFFLINE="1")
    os.environ.update(OMP_NUM_THREADS="1", OMP_WAIT_POLICY="PASSIVE")  # two workers of xdist share the cores
    from fastloop_console.machine import embedded

    stack = contextlib.ExitStack()
    urls = stack.enter_context(embedded.running(home))
    _forgetful(urls.database)
    if "DATABASE_URL" not in os.environ:
        os.environ.update(DATABASE_URL=urls.database, FASTLOOP_TEST_TEMPLATE=_template(urls.database))
    os.environ.setdefault("REDIS_URL", urls.redis)

    def stop() -> None:
        stack.close()
        shutil.rmtree(home, ignore_errors=True)

    atexit.register(stop)


_start()


@pytest.fixture(autouse=True)
def own_storage(tmp_path: Path, settings: object) -> None:
    """Each test writes its files into its own folder."""
    settings.STORAGE_URL = f"file://{tmp_path / 'storage'}"  # type: ignore[attr-defined]
