"""Fetch what the gates of a policy read, and nothing that none of them asks for."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from apps.datasets.listing_saved import view_members
from apps.datasets.selectors import column_values, newest_example_ids
from apps.datasets.versions import VersionRow
from apps.evaluation.gates.selectors import sensitive_columns_of
from apps.rules.gates import GatePolicy
from apps.rules.gates.rows import ColumnValues, Floats, GateReads, HoldoutRows, Ints, ServingTrial
from apps.training.models import Run
from workers.tasks.serving import serving_trial

MOST_LEARNED, MOST_INCOMING = 20_000, 2_000  # rows whose columns are compared


def evidence_read(
    policy: GatePolicy,
    run: Run,
    versions: Sequence[VersionRow],
    holdout: Sequence[VersionRow],
    truth: Ints,
    candidate: Floats,
    champion: Floats | None,
) -> dict[str, Any]:
    """Fields of Evidence by name. `versions` are all rows of the run's data version."""
    sensitive = sensitive_columns_of(run.project)
    reads = policy.reads
    wanted = reads.columns | (frozenset(sensitive) if reads.sensitive else frozenset())
    ids = [row.example_id for row in holdout]
    found = column_values(run.project, ids, wanted) if wanted else {}
    members = {name: view_members(run.project, name, ids) for name in sorted(reads.views)}
    rows = HoldoutRows(
        np.array(ids, np.int64),
        truth,
        candidate,
        champion,
        tuple(run.label_names),
        run.seed,
        {name: values for name, values in found.items() if any(v is not None for v in values)},
        {name: np.isin(ids, list(kept)) for name, kept in members.items() if kept is not None},
    )
    return {
        "rows": rows,
        "sensitive": sensitive,
        "values": _values(run, versions) if reads.values else None,
        "serving": _serving(run, reads, ids, candidate) if reads.serving_requests else None,
    }


def _values(run: Run, versions: Sequence[VersionRow]) -> ColumnValues:
    """Of what the run learned from, thinned evenly, and of the newest examples that came in."""
    learned = [row.example_id for row in versions if not row.holdout]
    learned = learned[:: max(len(learned) // MOST_LEARNED, 1)][:MOST_LEARNED]
    return ColumnValues(
        column_values(run.project, learned), column_values(run.project, newest_example_ids(run.project, MOST_INCOMING))
    )


def _serving(run: Run, reads: GateReads, ids: Sequence[int], judged: Floats) -> ServingTrial:
    most = reads.serving_requests
    return serving_trial(run.project, run.artifact_url, ids[:most], judged[:most], timeout_s=reads.serving_timeout_s)
