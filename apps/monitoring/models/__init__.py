"""What was answered, what came back for it, and what looks at both."""

from apps.monitoring.models.feedback import Feedback, FeedbackLetter, FeedbackSettings, PayloadsKept, ReturnedAs
from apps.monitoring.models.monitors import MonitorPolicyVersion, MonitorReading, ReadingOutcome
from apps.monitoring.models.predictions import (
    Alert,
    AlertVerdict,
    AskedPayload,
    DriftCheck,
    Prediction,
    PredictionQuerySet,
)
from apps.monitoring.models.rollups import AnswerRollup, LatencyRollup
from apps.monitoring.models.spool import SpoolPosition
from apps.monitoring.models.vectors import VectorsFault, WindowVectors

__all__ = [
    "Alert",
    "AlertVerdict",
    "AnswerRollup",
    "AskedPayload",
    "DriftCheck",
    "Feedback",
    "FeedbackLetter",
    "FeedbackSettings",
    "LatencyRollup",
    "MonitorPolicyVersion",
    "MonitorReading",
    "PayloadsKept",
    "Prediction",
    "PredictionQuerySet",
    "ReadingOutcome",
    "ReturnedAs",
    "SpoolPosition",
    "VectorsFault",
    "WindowVectors",
]
