"""What closes the circle: the steps that touch more than one stage. Each stage's own rules stay in its own app."""

from apps.loop.services.drift import HoldoutUnreadable, NoChampion, drift_check_all, drift_check_now
from apps.loop.services.encoders import encoders_needed, vectors_sweep
from apps.loop.services.intake import (
    batch_take,
    everything_refilled,
    examples_follow_up,
    ingestion_read,
    ingestions_sweep,
    upload_drop,
    upload_look,
    upload_mapped,
    upload_take,
)
from apps.loop.services.laps import lap_close, laps_close, serving_confirmed
from apps.loop.services.learning import auto_labels_check, measures_check
from apps.loop.services.runs import run_start_now, schedules_check, triggers_check, verdicts_sweep
from apps.loop.services.scoring import candidates_sweep, order_ask, scoring_sweep, vectors_ask

__all__ = [
    "HoldoutUnreadable",
    "NoChampion",
    "auto_labels_check",
    "batch_take",
    "candidates_sweep",
    "drift_check_all",
    "drift_check_now",
    "encoders_needed",
    "everything_refilled",
    "examples_follow_up",
    "ingestion_read",
    "ingestions_sweep",
    "lap_close",
    "laps_close",
    "measures_check",
    "order_ask",
    "run_start_now",
    "schedules_check",
    "scoring_sweep",
    "serving_confirmed",
    "triggers_check",
    "upload_drop",
    "upload_look",
    "upload_mapped",
    "upload_take",
    "vectors_ask",
    "vectors_sweep",
    "verdicts_sweep",
]
