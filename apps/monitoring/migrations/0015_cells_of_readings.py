"""What a heat map draws of each feature stands apart from the features, which are long; readings of before get theirs."""

from django.db import migrations, models

_FILL = """
UPDATE monitoring_monitorreading SET cells = (
    SELECT jsonb_agg(jsonb_build_array(f -> 'name', f -> 'score', f -> 'drifted') ORDER BY place)
    FROM jsonb_array_elements(features) WITH ORDINALITY AS each (f, place)
) WHERE jsonb_array_length(features) > 0
"""


class Migration(migrations.Migration):

    dependencies = [
        ('monitoring', '0014_sampled_log'),
    ]

    operations = [
        migrations.AddField(
            model_name='monitorreading', name='cells', field=models.JSONField(db_default=[], default=list)
        ),
        migrations.RunSQL(_FILL, migrations.RunSQL.noop),
    ]
