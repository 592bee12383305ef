"""Change a label; where its name changes, everything that was answered and suggested with it is called so too.

What models, reports and data versions hold is left as it was written: `LabelSchema.today` reads their names as those of now.
"""

from datetime import datetime
from typing import Any

from django.db import connection, transaction

from apps.accounts.models import User
from apps.projects import task_types
from apps.projects.models import Project, SchemaLabel
from apps.projects.schema import LabelChange, label_change

# (table, column) of what keeps answers of more than one label, by the names of the labels.
_VALUES = (
    ("labeling_annotation", "value"),
    ("labeling_label", "value"),
    ("labeling_golditem", "value"),
    ("labeling_importedprediction", "value"),
    ("labeling_assignment", "suggested_value"),
)
_IN_VALUES = """
    UPDATE {table} t SET {column} = jsonb_set(t.{column}, ARRAY[%(key)s], (
        SELECT jsonb_agg(CASE WHEN x.part = to_jsonb(%(old)s::text) THEN to_jsonb(%(new)s::text)
                              WHEN x.part->>'label' = %(old)s THEN jsonb_set(x.part, '{{label}}', to_jsonb(%(new)s::text))
                              ELSE x.part END ORDER BY x.place)
        FROM jsonb_array_elements(t.{column}->%(key)s) WITH ORDINALITY AS x(part, place)))
    WHERE t.project_id = %(project)s AND t.{column} IS NOT NULL AND (
        t.{column}->%(key)s @> to_jsonb(ARRAY[%(old)s::text])
        OR t.{column}->%(key)s @> jsonb_build_array(jsonb_build_object('label', %(old)s::text)))
"""
_SUGGESTED = (
    "UPDATE labeling_assignment SET suggestion = %(new)s WHERE project_id = %(project)s AND suggestion = %(old)s"
)
_REASON = """
    UPDATE {table} SET reason = jsonb_set(reason, '{{suggestion}}', to_jsonb(%(new)s::text))
    WHERE project_id = %(project)s AND reason->>'suggestion' = %(old)s
"""
_NEAREST = """
    UPDATE {table} t SET reason = jsonb_set(t.reason, '{{nearest}}', (
        SELECT jsonb_agg(CASE WHEN x.part = to_jsonb(%(old)s::text) THEN to_jsonb(%(new)s::text) ELSE x.part END
                         ORDER BY x.place)
        FROM jsonb_array_elements(t.reason->'nearest') WITH ORDINALITY AS x(part, place)))
    WHERE t.project_id = %(project)s AND t.reason->'nearest' @> to_jsonb(ARRAY[%(old)s::text])
"""


@transaction.atomic
def label_edit(*, project: Project, label_id: int, change: LabelChange, by: User, at: datetime) -> SchemaLabel:
    """As `label_change`. Raises Invalid or NotFound; then nothing has changed."""
    known = SchemaLabel.objects.filter(project=project, pk=label_id).values_list("name", flat=True).first()
    label = label_change(project=project, label_id=label_id, change=change, by=by, at=at)
    if known is not None and known != label.name:
        _names_replace(project, known, label.name)
    return label


def _names_replace(project: Project, old: str, new: str) -> None:
    task = task_types.get(project.task_type)
    bound: dict[str, Any] = {"project": project.pk, "old": old, "new": new, "key": task.answer.key}
    with connection.cursor() as cursor:
        for table, column in _VALUES if task.structured else ():
            cursor.execute(_IN_VALUES.format(table=table, column=column), bound)
        cursor.execute(_SUGGESTED, bound)
        for table in ("labeling_assignment", "labeling_frontieritem"):
            cursor.execute(_REASON.format(table=table), bound)
            cursor.execute(_NEAREST.format(table=table), bound)
