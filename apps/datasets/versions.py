"""Dataset versions: which example had which label at one moment. Written once, read for ever."""

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
import pyarrow.parquet as pq
from django.db import transaction
from django.db.models import Max

from apps.datasets.models import DatasetVersion
from apps.integrations import wiring
from apps.projects.models import Project


@dataclass(frozen=True)
class VersionRow:
    example_id: int
    label: str
    holdout: bool
    resolved_at: datetime


@transaction.atomic
def version_write(*, project_id: int, rows: Sequence[VersionRow], at: datetime) -> DatasetVersion:
    """A new version, or the newest one again when nothing has changed since."""
    Project.objects.select_for_update(no_key=True).get(pk=project_id)
    ordered = sorted(rows, key=lambda r: r.example_id)
    table = pa.table(
        {
            "example_id": pa.array([r.example_id for r in ordered], pa.int64()),
            "label": pa.array([r.label for r in ordered], pa.string()),
            "holdout": pa.array([r.holdout for r in ordered], pa.bool_()),
            "resolved_at": pa.array([r.resolved_at for r in ordered], pa.timestamp("us", "UTC")),
        }
    )
    digest = hashlib.sha256(
        "\n".join(f"{r.example_id}\t{r.label}\t{r.holdout}\t{r.resolved_at.isoformat()}" for r in ordered).encode()
    ).hexdigest()
    newest = DatasetVersion.objects.filter(project_id=project_id).first()
    if newest and newest.digest == digest:
        return newest
    content = io.BytesIO()
    pq.write_table(table, content, compression="zstd")
    url = wiring.storage().write(f"versions/{project_id}/{digest}.parquet", content.getvalue())
    last = DatasetVersion.objects.filter(project_id=project_id).aggregate(n=Max("number"))["n"] or 0
    return DatasetVersion.objects.create(
        project_id=project_id, number=last + 1, url=url, rows=len(ordered),
        holdout_rows=sum(r.holdout for r in ordered), digest=digest, created_at=at,
    )  # fmt: skip


def version_rows(version: DatasetVersion) -> list[VersionRow]:
    table = pq.read_table(io.BytesIO(wiring.storage().read(version.url)))
    return [VersionRow(**row) for row in table.to_pylist()]
