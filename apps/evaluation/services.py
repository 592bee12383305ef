"""Record what the holdout said."""

import base64
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from django.db import transaction

from apps.audit.services import english, event_record
from apps.audit.verbs import Verb
from apps.evaluation.models import GatePolicyVersion, LearningReport, Outcome, Report
from apps.integrations import wiring
from apps.live.publish import look_again
from apps.live.topics import News, Topic
from apps.rules.lift import LearningCurve, Lift
from apps.rules.sentences import lowered, parts_of, sentence
from apps.rules.stopping import Agreement
from apps.training.models import Run


@dataclass(frozen=True)
class HoldoutPredictions:
    """What the candidate said of each holdout example: parallel sequences, class names as strings. Beside it what the champion
    said, where there was one."""

    example_ids: Sequence[int]
    truth: Sequence[str]
    predicted: Sequence[str]
    confidence: Sequence[float]
    champion: Sequence[str] = ()
    champion_confidence: Sequence[float] = ()
    margin: Sequence[float] = ()  # the first probability minus the second; not there in reports of before


def report_record(
    *,
    run: Run,
    baseline_run: Run | None,
    started_at: datetime,
    label_names: Sequence[str],
    metrics: dict[str, Any],
    baseline_metrics: dict[str, Any] | None,
    differences: dict[str, Any] | None,
    confusion: list[list[int]],
    per_class: list[dict[str, Any]],
    outcome: Outcome,
    gates: list[dict[str, Any]],
    predictions: HoldoutPredictions,
    at: datetime,
    gate_policy: GatePolicyVersion | None = None,
) -> Report:
    """Write the predictions as a file and the report as a row; a run delivered twice keeps its first report."""
    have = Report.objects.filter(run=run).first()
    if have:
        return have
    url = wiring.storage().write(f"reports/{run.project_id}/{run.pk}.parquet", _parquet(predictions))
    with transaction.atomic():
        report, made = Report.objects.get_or_create(
            run=run,
            defaults={
                "baseline_run": baseline_run,
                "started_at": started_at,
                "finished_at": at,
                "examples": len(predictions.example_ids),
                "label_names": list(label_names),
                "metrics": metrics,
                "baseline_metrics": baseline_metrics,
                "differences": differences,
                "confusion": confusion,
                "per_class": per_class,
                "outcome": outcome,
                "gates": gates,
                "gate_policy": gate_policy,
                "predictions_url": url,
            },
        )
        if made:
            event_record(
                project_id=run.project_id,
                verb=Verb(f"verdict.{outcome}"),
                subject=f"run {run.number}",
                by=None,
                at=at,
                sentence=sentence(
                    "Run {number} was judged on {examples:,} holdout examples: {outcome}.",
                    number=run.number,
                    examples=report.examples,
                    outcome=lowered(english(Outcome(outcome).label)),
                ),
                after={"outcome": outcome, "gates": {g["name"]: g["outcome"] for g in gates}},
            )
            look_again(Topic.RUN.of(run.pk), News.REPORT, run.pk)
            look_again(Topic.PROJECT.of(run.project_id), News.REPORT, run.pk)
    return report


def _parquet(p: HoldoutPredictions) -> bytes:
    table = pa.table(
        {
            "example_id": pa.array(p.example_ids, pa.int64()),
            "truth": pa.array(p.truth, pa.string()),
            "predicted": pa.array(p.predicted, pa.string()),
            "confidence": pa.array(p.confidence, pa.float32()),
        }
    )
    if p.champion:
        table = table.append_column("champion", pa.array(p.champion, pa.string()))
        table = table.append_column("champion_confidence", pa.array(p.champion_confidence, pa.float32()))
    if p.margin:
        table = table.append_column("margin", pa.array(p.margin, pa.float32()))
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()


@dataclass(frozen=True)
class LearningPoint:
    """A probe trained on so many labels of one lane: its share of right holdout answers, with a 95 % interval."""

    labels: int
    score: float
    low: float
    high: float


@transaction.atomic
def learning_record(
    *,
    run: Run,
    holdout_rows: int,
    base_labels: int,
    random: Sequence[LearningPoint],
    active: Sequence[LearningPoint],
    lift: Lift,
    agreement: Agreement,
    curve: LearningCurve,
    coverage: list[dict[str, str | int]],
    seconds: float,
    at: datetime,
) -> LearningReport:
    """Keep what a run told of the labeling; a run measured twice keeps its first record."""
    found, made = LearningReport.objects.get_or_create(
        run=run,
        defaults={
            "project": run.project,
            "at": at,
            "seconds": seconds,
            "labels": run.labels,
            "holdout_rows": holdout_rows,
            "base_labels": base_labels,
            "random_points": [asdict(p) for p in random],
            "active_points": [asdict(p) for p in active],
            "lift": {**asdict(lift), "parts": parts_of(lift.sentence)},
            "agreement": {**asdict(agreement), "parts": parts_of(agreement.reason)},
            "curve": curve_packed(curve),
            "coverage": coverage,
        },
    )
    if made:
        look_again(Topic.PROJECT.of(run.project_id), News.LEARNING, run.pk)
    return found


def curve_packed(curve: LearningCurve) -> dict[str, Any]:
    """One bit for each answer: five models on 5,000 holdout rows are 3 kB."""
    bits = base64.b64encode(np.packbits(curve.right, axis=None).tobytes()).decode()
    return {"labels": curve.labels.tolist(), "rows": curve.rows, "right": bits}


def curve_unpacked(packed: dict[str, Any]) -> LearningCurve:
    shape = (len(packed["labels"]), packed["rows"])
    bits = np.unpackbits(np.frombuffer(base64.b64decode(packed["right"]), np.uint8), count=shape[0] * shape[1])
    return LearningCurve(np.array(packed["labels"], np.int64), bits.astype(bool).reshape(shape))
