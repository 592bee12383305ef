"""Embedding shards belong to apps.features now; their table goes there with its rows."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("datasets", "0006_delta_versions")]
    operations = [migrations.SeparateDatabaseAndState([], [migrations.DeleteModel("EmbeddingShard")])]
