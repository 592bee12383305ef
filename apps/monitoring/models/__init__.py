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

__all__ = [
    "Alert",
    "AlertVerdict",
    "AskedPayload",
    "DriftCheck",
    "Feedback",
    "FeedbackLetter",
    "FeedbackSettings",
    "MonitorPolicyVersion",
    "MonitorReading",
    "PayloadsKept",
    "Prediction",
    "PredictionQuerySet",
    "ReadingOutcome",
    "ReturnedAs",
]
