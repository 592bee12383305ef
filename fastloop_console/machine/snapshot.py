"""An empty database as the migrations make it, kept as SQL beside the code: a new home starts without applying a hundred.

Rendering the models before and after each operation is what a first start spent its time on. The snapshot may be older than
the newest migration: what it lacks is applied on top. `python -m tests.upgrades.snapshot` writes it anew.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("snapshot.sql")
MADE_NOW = "UPDATE django_migrations SET applied = now(); UPDATE features_encoder SET added_at = now();"


def load(parameters: Mapping[str, Any]) -> bool:
    """Into a database without a table, in one transaction; False where it has one and nothing was done.

    `parameters` are psycopg's. The database is the embedded one: its server is as new as the one that wrote the file.
    """
    import psycopg

    with psycopg.connect(**parameters) as line, line.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
        if cursor.fetchone() != (0,):
            return False
        cursor.execute(FILE.read_bytes())
        cursor.execute(MADE_NOW)
    return True
