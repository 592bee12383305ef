"""The statements that run at every answer are planned once a connection."""

import pytest
from django.db import connection

from apps.statements import rows

pytestmark = pytest.mark.django_db


def test_a_statement_of_the_hot_path_is_planned_once_however_often_it_runs(db):
    for n in range(3):
        assert rows("SELECT %s::int + 1", [n]) == [(n + 1,)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'SELECT $1::int + 1'")
        assert cursor.fetchone() == (1,)
