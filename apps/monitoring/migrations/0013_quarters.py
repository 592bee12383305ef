"""Answers counted by the quarter of an hour too, from the minutes that are there; and each width in a partition of its own, so that
a week of hours is not looked for among a month of minutes."""

from django.db import migrations, models

_COMMON = """
    id bigint NOT NULL,
    width smallint NOT NULL CONSTRAINT {table}_width_check CHECK (width >= 0),
    at timestamptz NOT NULL,
    arm varchar(8) NOT NULL,
    model_number integer NOT NULL CONSTRAINT {table}_model_number_check CHECK (model_number >= 0),
    failed boolean NOT NULL,
    answers bigint NOT NULL,
    project_id bigint NOT NULL,
"""
_ANSWERS = _COMMON + """
    label varchar(80) NOT NULL,
    confidence double precision NOT NULL
"""
_LATENCIES = _COMMON + """
    place smallint NOT NULL CONSTRAINT {table}_place_check CHECK (place >= 0)
"""
_MOVE = """
    SET CONSTRAINTS ALL IMMEDIATE;
    ALTER TABLE {table} RENAME TO {table}_whole;
    CREATE TABLE {table} ({columns}) PARTITION BY LIST (width);
    CREATE TABLE {table}_minute PARTITION OF {table} FOR VALUES IN (1);
    CREATE TABLE {table}_quarter PARTITION OF {table} FOR VALUES IN (15);
    CREATE TABLE {table}_hour PARTITION OF {table} FOR VALUES IN (60);
    INSERT INTO {table} ({names}) SELECT {names} FROM {table}_whole ORDER BY width, at;
    DROP TABLE {table}_whole;
    CREATE SEQUENCE {table}_id_seq OWNED BY {table}.id;
    SELECT setval('{table}_id_seq', coalesce(max(id), 0) + 1, false) FROM {table};
    ALTER TABLE {table} ALTER COLUMN id SET DEFAULT nextval('{table}_id_seq');
    ALTER TABLE {table} ADD CONSTRAINT {table}_pkey PRIMARY KEY (id, width);
    ALTER TABLE {table} ADD CONSTRAINT {once} UNIQUE (project_id, width, at, arm, model_number, {own}, failed);
    ALTER TABLE {table} ADD CONSTRAINT {table}_project_id_fk FOREIGN KEY (project_id)
        REFERENCES projects_project (id) DEFERRABLE INITIALLY DEFERRED;
"""
_FILL = """
    INSERT INTO {table} (project_id, width, at, arm, model_number, failed, {own}, answers{sums})
    SELECT project_id, 15, date_bin('15 minutes', at, '2000-01-01 00:00+00'), arm, model_number, failed, {own},
           sum(answers){summed}
    FROM {table} WHERE width = 1 GROUP BY 1, 2, 3, 4, 5, 6, 7;
"""
# Also what fills a bench's log.
QUARTERS = _FILL.format(
    table="monitoring_answerrollup", own="label", sums=", confidence", summed=", sum(confidence)"
) + _FILL.format(table="monitoring_latencyrollup", own="place", sums="", summed="")


def _moved(table: str, columns: str, once: str, own: str) -> str:
    names = ", ".join(line.split()[0] for line in columns.strip().splitlines() if line.strip())
    return _MOVE.format(table=table, columns=columns.format(table=table), names=names, once=once, own=own)


WIDTH = models.PositiveSmallIntegerField(choices=[(1, "Minute"), (15, "Quarter"), (60, "Hour")])


class Migration(migrations.Migration):
    dependencies = [("monitoring", "0012_monitors")]

    operations = [
        migrations.AlterField("answerrollup", "width", WIDTH),
        migrations.AlterField("latencyrollup", "width", WIDTH),
        migrations.RunSQL(_moved("monitoring_answerrollup", _ANSWERS, "monitoring_answer_rollup_once", "label")),
        migrations.RunSQL(_moved("monitoring_latencyrollup", _LATENCIES, "monitoring_latency_rollup_once", "place")),
        migrations.RunSQL(QUARTERS),
    ]
