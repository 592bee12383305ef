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
class Payload:
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
_RUN = Payload("run", _STATE)
_SWEEP = Payload("sweep", _STATE)
_VERDICT = Payload("run", {"outcome": str, "gates": dict})
_CHAMPION = Payload("model", {"champion": int | None, "reason": str})
_LABEL = Payload("label", {"label": str})
PAYLOADS: dict[Verb, Payload] = {
    Verb.ENCODER_ADDED: Payload("encoder", {"url": str}),
    Verb.PROJECT_CREATED: Payload("project", {"task_type": str}),
    Verb.SCHEMA_EXTENDED: Payload("project", {"labels": list}),
    Verb.SCHEMA_RETIRED: _LABEL,
    Verb.SCHEMA_RESTORED: _LABEL,
    Verb.GUIDELINES_WRITTEN: Payload("guidelines"),
    Verb.MEMBER_SET: Payload("user", {"role": str | None}),
    Verb.MEMBER_REMOVED: Payload("user", {"role": str}),
    Verb.EXAMPLES_INGESTED: Payload("ingestion"),
    Verb.DATA_EXPORTED: Payload("project", {"format": str, "grain": str}),
    Verb.VERSIONS_POLICY: Payload("data versions", open=True),
    Verb.VERSIONS_DROPPED: Payload("data versions", {"dropped": list}),
    Verb.QUEUE_SET: Payload("project", open=True),
    Verb.RATE_SET: Payload("project", {"hourly_rate": str, "currency": str}),
    Verb.REVIEW_DECIDED: Payload("example", {"state": str, "error_kind": str}),
    Verb.GOLD_ADDED: Payload("example", {"value": dict}),
    Verb.GOLD_REMOVED: Payload("example", {"value": dict}),
    Verb.ANNOTATOR_PAUSED: Payload("user"),
    Verb.ANNOTATOR_RESUMED: Payload("user"),
    Verb.LABELS_DOUBTED: Payload("run", {"suspects": int}),
    Verb.CONSENSUS_ASKED: Payload("project"),
    Verb.CONSENSUS_CHANGED: Payload("project", {"method": str}),
    Verb.AUTO_LABELING_SET: Payload("project", open=True),
    Verb.AUTO_LABELS_GIVEN: Payload("auto-labels", {"labels": int, "audits": int, "threshold": int | float}),
    Verb.AUTO_LABELS_WITHDRAWN: Payload("auto-labels", _STATE),
    Verb.RUN_STARTED: Payload("run", {"state": str, "trigger": str}),
    Verb.RUN_RUNNING: _RUN,
    Verb.RUN_COMPLETED: _RUN,
    Verb.RUN_FAILED: _RUN,
    Verb.RUN_CANCELED: _RUN,
    Verb.RUN_PRIORITIZED: Payload("run", {"priority": int}),
    Verb.SWEEP_STARTED: Payload("sweep", {"space": dict, "trials": int, "seed": int}),
    Verb.SWEEP_COMPLETED: _SWEEP,
    Verb.SWEEP_FAILED: _SWEEP,
    Verb.SWEEP_CANCELED: _SWEEP,
    Verb.SCHEDULE_SET: Payload("schedule", {"times": str | list | dict | None}),
    Verb.TRIGGER_SET: Payload("trigger", open=True),
    Verb.POLICY_SET: Payload("training policy", open=True),
    Verb.ONLINE_SET: Payload("online learning", {"enabled": bool, "publish_every": int}),
    Verb.ONLINE_PUBLISH_ASKED: Payload("online learning"),
    Verb.ONLINE_RESTARTED: Payload("online learning"),
    Verb.VERDICT_PASS: _VERDICT,
    Verb.VERDICT_FAIL: _VERDICT,
    Verb.VERDICT_INCONCLUSIVE: _VERDICT,
    Verb.GAP_MEASURED: Payload("run", {"points": _NUMBER, "low": _NUMBER, "high": _NUMBER}),
    Verb.MODEL_REGISTERED: Payload("model", {"outcome": str}),
    Verb.MODEL_PROMOTED: _CHAMPION,
    Verb.MODEL_ROLLED_BACK: _CHAMPION,
    Verb.MODEL_SERVING: Payload("model"),
    Verb.ALERT_RAISED: Payload("alert"),
    Verb.ALERT_RESOLVED: Payload("alert"),
    Verb.TARGET_SET: Payload("target", {"hours": _NUMBER}),
    Verb.LAP_CLOSED: Payload("lap", {"p90_s": _NUMBER, "breached": bool}),
}
