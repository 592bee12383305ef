"""Read reports."""

import io

import pyarrow.parquet as pq
from django.db.models import QuerySet

from apps.evaluation.models import Report
from apps.evaluation.services import HoldoutPredictions
from apps.integrations import wiring
from apps.projects.models import Project
from apps.training.models import Run


def report_of(run: Run) -> Report | None:
    return Report.objects.select_related("run", "baseline_run").filter(run=run).first()


def reports_of(project: Project) -> QuerySet[Report]:
    return Report.objects.filter(run__project=project).select_related("run", "baseline_run")


def predictions_of(report: Report) -> HoldoutPredictions:
    table = pq.read_table(io.BytesIO(wiring.storage().read(report.predictions_url)))
    return HoldoutPredictions(
        table["example_id"].to_pylist(),
        table["truth"].to_pylist(),
        table["predicted"].to_pylist(),
        table["confidence"].to_pylist(),
    )
