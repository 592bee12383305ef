"""What can happen, by name, and what each entry says of it: whoever reads the trail from outside relies on this list."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import UnionType
from typing import Any

Kind = type | UnionType


class Verb(StrEnum):
    ENCODER_ADDED = "encoder.added"
    PROJECT_CREATED = "project.created"
    SCHEMA_EXTENDED = "schema.extended"
    SCHEMA_RETIRED = "schema.retired"
    SCHEMA_RESTORED = "schema.restored"
    GUIDELINES_WRITTEN = "guidelines.written"
    MEMBER_SET = "member.set"
    MEMBER_REMOVED = "member.removed"
    EXAMPLES_INGESTED = "examples.ingested"
    EXAMPLE_ASKED_AGAIN = "example.asked_again"
    DATA_EXPORTED = "data.exported"
    VERSIONS_POLICY = "versions.policy"
    VERSIONS_DROPPED = "versions.dropped"
    QUEUE_SET = "queue.set"
    RATE_SET = "rate.set"
    REVIEW_DECIDED = "review.decided"
    GOLD_ADDED = "gold.added"
    GOLD_REMOVED = "gold.removed"
    ANNOTATOR_PAUSED = "annotator.paused"
    ANNOTATOR_RESUMED = "annotator.resumed"
    LABELS_DOUBTED = "labels.doubted"
    CONSENSUS_ASKED = "consensus.asked"
    CONSENSUS_CHANGED = "consensus.changed"
    AUTO_LABELING_SET = "auto_labeling.set"
    AUTO_LABELS_GIVEN = "auto_labels.given"
    AUTO_LABELS_WITHDRAWN = "auto_labels.withdrawn"
    RUN_STARTED = "run.started"
    RUN_RUNNING = "run.running"
    RUN_COMPLETED = "run.completed"
    RUN_FAILED = "run.failed"
    RUN_CANCELED = "run.canceled"
    RUN_PRIORITIZED = "run.prioritized"
    SWEEP_STARTED = "sweep.started"
    SWEEP_COMPLETED = "sweep.completed"
    SWEEP_FAILED = "sweep.failed"
    SWEEP_CANCELED = "sweep.canceled"
    SCHEDULE_SET = "schedule.set"
    TRIGGER_SET = "trigger.set"
    POLICY_SET = "policy.set"
    ONLINE_SET = "online.set"
    ONLINE_PUBLISH_ASKED = "online.publish_asked"
    ONLINE_RESTARTED = "online.restarted"
    VERDICT_PASS = "verdict.pass"
    VERDICT_FAIL = "verdict.fail"
    VERDICT_INCONCLUSIVE = "verdict.inconclusive"
    GAP_MEASURED = "gap.measured"
    MODEL_REGISTERED = "model.registered"
    MODEL_PROMOTED = "model.promoted"
    MODEL_ROLLED_BACK = "model.rolled_back"
    MODEL_SERVING = "model.serving"
    ALERT_RAISED = "alert.raised"
    ALERT_RESOLVED = "alert.resolved"
    TARGET_SET = "target.set"
    LAP_CLOSED = "lap.closed"


@dataclass(frozen=True)
class EventPayload:
    """What an entry carries. `subject` begins its subject; `before` and `after` hold `facts` only, of these types.

    With `open` they hold settings by name, whatever these are.
    """

    subject: str
    facts: Mapping[str, Kind] = field(default_factory=dict)
    open: bool = False

    def fault(self, subject: str, told: Mapping[str, Any]) -> str:
        """What of an entry is not as declared, in words; empty where all is."""
        if not subject.startswith(self.subject):
            return f"its subject is “{subject}” and not a {self.subject}"
        for name, value in {} if self.open else told.items():
            if name not in self.facts:
                return f"“{name}” is not among its facts"
            if not isinstance(value, self.facts[name]):
                return f"“{name}” is {type(value).__name__}"
        return ""


_STATE: dict[str, Kind] = {"state": str}
_NUMBER = int | float | None
_RUN = EventPayload("run", _STATE)
_SWEEP = EventPayload("sweep", _STATE)
_VERDICT = EventPayload("run", {"outcome": str, "gates": dict})
_CHAMPION = EventPayload("model", {"champion": int | None, "reason": str})
_LABEL = EventPayload("label", {"label": str})
PAYLOADS: dict[Verb, EventPayload] = {
    Verb.ENCODER_ADDED: EventPayload("encoder", {"url": str}),
    Verb.PROJECT_CREATED: EventPayload("project", {"task_type": str}),
    Verb.SCHEMA_EXTENDED: EventPayload("project", {"labels": list}),
    Verb.SCHEMA_RETIRED: _LABEL,
    Verb.SCHEMA_RESTORED: _LABEL,
    Verb.GUIDELINES_WRITTEN: EventPayload("guidelines"),
    Verb.MEMBER_SET: EventPayload("user", {"role": str | None}),
    Verb.MEMBER_REMOVED: EventPayload("user", {"role": str}),
    Verb.EXAMPLES_INGESTED: EventPayload("ingestion"),
    Verb.EXAMPLE_ASKED_AGAIN: EventPayload("example"),
    Verb.DATA_EXPORTED: EventPayload("project", {"format": str, "grain": str}),
    Verb.VERSIONS_POLICY: EventPayload("data versions", open=True),
    Verb.VERSIONS_DROPPED: EventPayload("data versions", {"dropped": list}),
    Verb.QUEUE_SET: EventPayload("project", open=True),
    Verb.RATE_SET: EventPayload("project", {"hourly_rate": str, "currency": str}),
    Verb.REVIEW_DECIDED: EventPayload("example", {"state": str, "error_kind": str}),
    Verb.GOLD_ADDED: EventPayload("example", {"value": dict}),
    Verb.GOLD_REMOVED: EventPayload("example", {"value": dict}),
    Verb.ANNOTATOR_PAUSED: EventPayload("user"),
    Verb.ANNOTATOR_RESUMED: EventPayload("user"),
    Verb.LABELS_DOUBTED: EventPayload("run", {"suspects": int}),
    Verb.CONSENSUS_ASKED: EventPayload("project"),
    Verb.CONSENSUS_CHANGED: EventPayload("project", {"method": str}),
    Verb.AUTO_LABELING_SET: EventPayload("project", open=True),
    Verb.AUTO_LABELS_GIVEN: EventPayload("auto-labels", {"labels": int, "audits": int, "threshold": int | float}),
    Verb.AUTO_LABELS_WITHDRAWN: EventPayload("auto-labels", _STATE),
    Verb.RUN_STARTED: EventPayload("run", {"state": str, "trigger": str}),
    Verb.RUN_RUNNING: _RUN,
    Verb.RUN_COMPLETED: _RUN,
    Verb.RUN_FAILED: _RUN,
    Verb.RUN_CANCELED: _RUN,
    Verb.RUN_PRIORITIZED: EventPayload("run", {"priority": int}),
    Verb.SWEEP_STARTED: EventPayload("sweep", {"space": dict, "trials": int, "seed": int}),
    Verb.SWEEP_COMPLETED: _SWEEP,
    Verb.SWEEP_FAILED: _SWEEP,
    Verb.SWEEP_CANCELED: _SWEEP,
    Verb.SCHEDULE_SET: EventPayload("schedule", {"times": str | list | dict | None}),
    Verb.TRIGGER_SET: EventPayload("trigger", open=True),
    Verb.POLICY_SET: EventPayload("training policy", open=True),
    Verb.ONLINE_SET: EventPayload("online learning", {"enabled": bool, "publish_every": int}),
    Verb.ONLINE_PUBLISH_ASKED: EventPayload("online learning"),
    Verb.ONLINE_RESTARTED: EventPayload("online learning"),
    Verb.VERDICT_PASS: _VERDICT,
    Verb.VERDICT_FAIL: _VERDICT,
    Verb.VERDICT_INCONCLUSIVE: _VERDICT,
    Verb.GAP_MEASURED: EventPayload("run", {"points": _NUMBER, "low": _NUMBER, "high": _NUMBER}),
    Verb.MODEL_REGISTERED: EventPayload("model", {"outcome": str}),
    Verb.MODEL_PROMOTED: _CHAMPION,
    Verb.MODEL_ROLLED_BACK: _CHAMPION,
    Verb.MODEL_SERVING: EventPayload("model"),
    Verb.ALERT_RAISED: EventPayload("alert"),
    Verb.ALERT_RESOLVED: EventPayload("alert"),
    Verb.TARGET_SET: EventPayload("target", {"hours": _NUMBER}),
    Verb.LAP_CLOSED: EventPayload("lap", {"p90_s": _NUMBER, "breached": bool}),
}
