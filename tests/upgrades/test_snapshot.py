"""The snapshot that a new home starts from is what the migrations make, one by one."""

import contextlib
import re
import uuid
from collections.abc import Iterator

import psycopg
import pytest
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connections

from fastloop_console.machine import snapshot
from tests.upgrades.snapshot import dumped

CASTS = re.compile(r"::(character varying|text)(\[\])?|[()]")  # written another way once an expression was read again
ROWS = {  # what a fresh database holds, without the numbers and the moments that come as they come
    "migrations": "SELECT app, name FROM django_migrations",
    "types": "SELECT app_label, model FROM django_content_type",
    "permissions": "SELECT c.app_label, p.codename, p.name FROM auth_permission p JOIN django_content_type c"
    " ON c.id = p.content_type_id",
    "encoders": "SELECT name, title, payload, dim, weights_in, state FROM features_encoder",
}


@contextlib.contextmanager
def empty_database() -> Iterator[None]:
    """In the place of the suite's own."""
    usual = connections["default"]
    where = {**usual.settings_dict, "NAME": f"fresh_{uuid.uuid4().hex[:12]}"}
    server = {"host": where["HOST"], "port": where["PORT"], "user": where["USER"], "password": where["PASSWORD"]}
    with psycopg.connect(dbname="postgres", autocommit=True, **server) as admin:
        admin.execute(f"CREATE DATABASE {where['NAME']} TEMPLATE template0")
        connections["default"] = type(usual)(where, "default")
        try:
            yield
        finally:
            connections["default"].close()
            connections["default"] = usual
            ContentType.objects.clear_cache()
            admin.execute(f"DROP DATABASE {where['NAME']} WITH (FORCE)")


def made() -> tuple[list[str], dict[str, list[tuple[object, ...]]]]:
    """The schema's lines and the rows of the database that is connected, once it is up to date."""
    call_command("migrate", verbosity=0)
    connection = connections["default"]
    with connection.cursor() as cursor:
        rows = {}
        for name, query in ROWS.items():
            cursor.execute(query)
            rows[name] = sorted(cursor.fetchall())
    return [CASTS.sub("", line) for line in dumped(connection.settings_dict, "--schema-only").splitlines()], rows


def test_the_snapshot_and_the_rest_make_what_all_migrations_make(django_db_blocker: pytest.FixtureRequest) -> None:
    with django_db_blocker.unblock():
        with empty_database():
            one_by_one = made()
        with empty_database():
            assert snapshot.load(connections["default"].get_connection_params())
            at_once = made()
            assert not snapshot.load(connections["default"].get_connection_params()), "a database with tables is left"
    assert at_once[1] == one_by_one[1]
    assert at_once[0] == one_by_one[0]
