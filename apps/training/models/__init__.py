"""Runs, what starts them, sweeps, and the learner that never stops."""

from apps.training.models.online import OnlineLearner, OnlinePoint
from apps.training.models.policies import Policy, Schedule
from apps.training.models.runs import (
    ASKED_KINDS,
    MOVES,
    OPEN_STATES,
    Run,
    RunKind,
    RunLine,
    RunPoint,
    RunPriority,
    RunState,
    RunTrigger,
    Trigger,
    asked_kinds,
)
from apps.training.models.sweeps import Sweep, SweepState, Trial, TrialState

__all__ = [
    "ASKED_KINDS",
    "MOVES",
    "OPEN_STATES",
    "OnlineLearner",
    "OnlinePoint",
    "Policy",
    "Run",
    "RunKind",
    "RunLine",
    "RunPoint",
    "RunPriority",
    "RunState",
    "RunTrigger",
    "Schedule",
    "Sweep",
    "SweepState",
    "Trial",
    "TrialState",
    "Trigger",
    "asked_kinds",
]
