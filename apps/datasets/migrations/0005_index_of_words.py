"""Search by words answers within moments at a million texts. Written as the search writes it, or it would not be used."""

from django.db import migrations

MAKE = """
    CREATE INDEX IF NOT EXISTS datasets_example_words ON datasets_example
    USING gin (to_tsvector('simple', coalesce(fields->>'text', '')))
"""


class Migration(migrations.Migration):
    dependencies = [("datasets", "0004_shard_unusable_rows")]
    operations = [migrations.RunSQL(MAKE, "DROP INDEX IF EXISTS datasets_example_words")]
