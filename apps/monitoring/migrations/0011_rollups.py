"""Answers counted by minute and hour; those that are logged already are counted here."""

import django.db.models.deletion
from django.db import migrations, models

# Bins as apps/rules/latencies.py had them when this was written.
_FILL = """
    INSERT INTO monitoring_answerrollup (project_id, width, at, arm, model_number, failed, label, answers, confidence)
    SELECT project_id, {width}, date_trunc('{unit}', at, 'UTC'), arm, model_number, failed, label, count(*), sum(confidence)
    FROM monitoring_prediction WHERE {those} GROUP BY 1, 2, 3, 4, 5, 6, 7;
    INSERT INTO monitoring_latencyrollup (project_id, width, at, arm, model_number, failed, place, answers)
    SELECT project_id, {width}, date_trunc('{unit}', at, 'UTC'), arm, model_number, failed,
           least(floor(ln(greatest(latency_ms, 0.01) / 0.01) / ln(1.1::float8)), 199)::smallint, count(*)
    FROM monitoring_prediction WHERE {those} GROUP BY 1, 2, 3, 4, 5, 6, 7;
"""
# Also what fills a bench's log.
COUNTED = _FILL.format(width=60, unit="hour", those="true") + _FILL.format(
    width=1, unit="minute", those="at > now() - interval '35 days'"
)


def _rollup(name, extra, unique):
    return migrations.CreateModel(
        name=name,
        fields=[
            ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
            ('width', models.PositiveSmallIntegerField(choices=[(1, 'Minute'), (60, 'Hour')])),
            ('at', models.DateTimeField()),
            ('arm', models.CharField(max_length=8)),
            ('model_number', models.PositiveIntegerField()),
            ('failed', models.BooleanField()),
            ('answers', models.BigIntegerField()),
            *extra,
            ('project', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name=unique[1], to='projects.project')),
        ],
        options={
            'constraints': [models.UniqueConstraint(fields=('project', 'width', 'at', 'arm', 'model_number', unique[0], 'failed'), name=unique[2])],
        },
    )


class Migration(migrations.Migration):

    dependencies = [
        ('monitoring', '0010_log_by_days'),
        ('projects', '0010_archive_and_deletion'),
    ]

    operations = [
        _rollup(
            'AnswerRollup',
            [('label', models.CharField(max_length=80)), ('confidence', models.FloatField())],
            ('label', 'answer_rollups', 'monitoring_answer_rollup_once'),
        ),
        _rollup(
            'LatencyRollup',
            [('place', models.PositiveSmallIntegerField())],
            ('place', 'latency_rollups', 'monitoring_latency_rollup_once'),
        ),
        migrations.RunSQL(COUNTED, migrations.RunSQL.noop),
    ]
