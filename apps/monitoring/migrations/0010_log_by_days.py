"""The log's tables become partitioned by day; every row that they have moves along."""

import django.db.models.deletion
from django.db import migrations, models

_PREDICTION = """
    id bigint NOT NULL,
    inference_id varchar(100) NOT NULL,
    at timestamptz NOT NULL,
    model_number integer NOT NULL CONSTRAINT monitoring_prediction_model_number_check CHECK (model_number >= 0),
    label varchar(80) NOT NULL,
    confidence double precision NOT NULL,
    latency_ms double precision NOT NULL,
    project_id bigint NOT NULL,
    agreed boolean,
    arm varchar(8) DEFAULT 'champion' NOT NULL,
    entity bigint,
    failed boolean DEFAULT false NOT NULL,
    rollout bigint,
    item smallint DEFAULT 0 NOT NULL CONSTRAINT monitoring_prediction_item_check CHECK (item >= 0)
"""
_PREDICTION_INDEXES = """
    CREATE INDEX monitoring_prediction_time ON monitoring_prediction (project_id, at);
    CREATE INDEX monitoring_prediction_rollout ON monitoring_prediction (rollout, at) WHERE rollout IS NOT NULL;
    CREATE INDEX monitoring_prediction_named ON monitoring_prediction (project_id, inference_id);
"""
_PAYLOAD = """
    id bigint NOT NULL,
    inference_id varchar(100) NOT NULL,
    item smallint NOT NULL CONSTRAINT monitoring_askedpayload_item_check CHECK (item >= 0),
    at timestamptz NOT NULL,
    "row" jsonb NOT NULL,
    image bytea,
    project_id bigint NOT NULL
"""
_PAYLOAD_INDEXES = """
    CREATE INDEX monitoring_payload_named ON monitoring_askedpayload (project_id, inference_id, item);
    CREATE INDEX monitoring_payload_time ON monitoring_askedpayload (project_id, at);
"""

# The key to the project is looked up with each statement: a table with rows that wait for it could not be dropped.
# Days of before 2020 and of the time to come lie in the default partition: those are clocks gone wrong.
_MOVE = """
    SET CONSTRAINTS ALL IMMEDIATE;
    ALTER TABLE {table} RENAME TO {table}_whole;
    CREATE TABLE {table} ({columns}) PARTITION BY RANGE (at);
    CREATE TABLE {table}_default PARTITION OF {table} DEFAULT;
    DO $$
    DECLARE d date;
    BEGIN
        FOR d IN SELECT DISTINCT (at AT TIME ZONE 'UTC')::date FROM {table}_whole
                 WHERE at >= '2020-01-01 00:00:00+00' AND at < now() + interval '1 day' ORDER BY 1 LOOP
            EXECUTE format('CREATE TABLE {table}_%s PARTITION OF {table} FOR VALUES FROM (%L) TO (%L)',
                           to_char(d, 'YYYYMMDD'), d::text || ' 00:00:00+00', (d + 1)::text || ' 00:00:00+00');
        END LOOP;
    END $$;
    INSERT INTO {table} ({names}) SELECT {names} FROM {table}_whole;
    DROP TABLE {table}_whole;
    CREATE SEQUENCE {table}_id_seq OWNED BY {table}.id;
    SELECT setval('{table}_id_seq', coalesce(max(id), 0) + 1, false) FROM {table};
    ALTER TABLE {table} ALTER COLUMN id SET DEFAULT nextval('{table}_id_seq');
    ALTER TABLE {table} ADD CONSTRAINT {table}_pkey PRIMARY KEY (id, at);
    ALTER TABLE {table} ADD CONSTRAINT {table}_project_id_fk FOREIGN KEY (project_id)
        REFERENCES projects_project (id);
"""


def _moved(table: str, columns: str) -> str:
    names = ", ".join(line.split()[0] for line in columns.strip().splitlines())
    return _MOVE.format(table=table, columns=columns, names=names)


class Migration(migrations.Migration):

    dependencies = [
        ('monitoring', '0009_spool_position'),
        ('projects', '0010_archive_and_deletion'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(_moved("monitoring_prediction", _PREDICTION)),
                migrations.RunSQL(_PREDICTION_INDEXES),
                migrations.RunSQL(_moved("monitoring_askedpayload", _PAYLOAD)),
                migrations.RunSQL(_PAYLOAD_INDEXES),
            ],
            state_operations=[
                migrations.AlterField(
                    model_name='askedpayload',
                    name='project',
                    field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='asked_payloads', to='projects.project'),
                ),
                migrations.AlterField(
                    model_name='prediction',
                    name='project',
                    field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='predictions', to='projects.project'),
                ),
            ],
        ),
    ]
