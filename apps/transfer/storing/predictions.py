"""Write what models outside said."""

from collections.abc import Sequence
from datetime import datetime

from apps.datasets.batches import StoredRow
from apps.datasets.copying import rows_copy
from apps.labeling.models import ImportedPrediction
from apps.projects.models import Project
from apps.transfer.rows import Guess
from apps.transfer.storing.columns import Columns, json_of, known_among


def predictions_keep(
    project: Project, given: Sequence[tuple[StoredRow, Guess]], columns: Columns, *, at: datetime
) -> set[int]:
    """One guess a model and example; the first stands."""
    known = known_among(k for k, _ in given)
    pairs = ImportedPrediction.objects.filter(example_id__in=known).values_list("example_id", "model_version")
    seen, fresh = set(pairs) if known else set(), list[tuple[StoredRow, Guess]]()
    for k, g in given:
        if (k.example_id, g.model) not in seen:
            seen.add((k.example_id, g.model))
            fresh.append((k, g))
    if not fresh:
        return set()
    names = ("project_id", "example_id", "model_version", "label_id", "value", "confidence", "at")
    rows = []
    for k, g in fresh:
        label_id, value = columns(g.value)
        rows.append((project.pk, k.example_id, g.model, label_id, json_of(value), g.confidence, g.at or at))
    rows_copy(ImportedPrediction, names, rows)
    return {k.row_number for k, _ in fresh}
