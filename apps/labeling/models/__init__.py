"""The queue and how it is set, leases, answers, labels, and what checks them."""

from apps.labeling.models.answers import Annotation, Label, LabelSource, SetAside, SkipReason
from apps.labeling.models.auto import AutoBatch, AutoBatchState, AutoLabel, AutoLabeling
from apps.labeling.models.drift import DriftExample
from apps.labeling.models.quality import (
    ConsensusReport,
    ErrorKind,
    GoldItem,
    ImportedPrediction,
    Pause,
    Review,
    ReviewState,
    ReviewWhy,
    Suspect,
    SuspectState,
)
from apps.labeling.models.queue import QUEUED_LANES, Assignment, AssignmentState, Frontier, FrontierItem, Lane
from apps.labeling.models.returned import ReturnedLabel
from apps.labeling.models.scoring import ScoringPart, ScoringPass, ScoringState
from apps.labeling.models.settings import LANE_WEIGHTS, ConsensusMethod, QueueSettings

__all__ = [
    "LANE_WEIGHTS",
    "QUEUED_LANES",
    "Annotation",
    "Assignment",
    "AssignmentState",
    "AutoBatch",
    "AutoBatchState",
    "AutoLabel",
    "AutoLabeling",
    "ConsensusMethod",
    "ConsensusReport",
    "DriftExample",
    "ErrorKind",
    "Frontier",
    "FrontierItem",
    "GoldItem",
    "ImportedPrediction",
    "Label",
    "LabelSource",
    "Lane",
    "Pause",
    "QueueSettings",
    "ReturnedLabel",
    "Review",
    "ReviewState",
    "ReviewWhy",
    "ScoringPart",
    "ScoringPass",
    "ScoringState",
    "SetAside",
    "SkipReason",
    "Suspect",
    "SuspectState",
]
