"""What can happen, by name, and what each entry says of it: whoever reads the trail from outside relies on this list."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import UnionType
from typing import Any

Kind = type | UnionType


class Verb(StrEnum):
    ENCODER_ADDED = "encoder.added"
    SIGNED_IN = "person.signed_in"
    SIGN_IN_FAILED = "person.sign_in_failed"
    SIGN_IN_LOCKED = "person.sign_in_locked"
    PASSWORD_CHANGED = "person.password_changed"
    NAME_SET = "person.name_set"
    MAIL_SET = "person.mail_set"
    PERSON_INVITED = "person.invited"
    PERSON_JOINED = "person.joined"
    RESET_LINK_MADE = "person.reset_link_made"
    LINK_WITHDRAWN = "person.link_withdrawn"
    PERSON_DEACTIVATED = "person.deactivated"
    PERSON_REACTIVATED = "person.reactivated"
    PERSON_RIGHTS_SET = "person.rights_set"
    SESSIONS_ENDED = "person.sessions_ended"
    TOKEN_MADE = "token.made"
    TOKEN_REVOKED = "token.revoked"
    PROJECT_CREATED = "project.created"
    SCHEMA_EXTENDED = "schema.extended"
    SCHEMA_RETIRED = "schema.retired"
    SCHEMA_RESTORED = "schema.restored"
    SCHEMA_EDITED = "schema.edited"
    PROJECT_RENAMED = "project.renamed"
    PROJECT_ARCHIVED = "project.archived"
    PROJECT_UNARCHIVED = "project.unarchived"
    PROJECT_DELETED = "project.deleted"
    GUIDELINES_WRITTEN = "guidelines.written"
    MEMBER_SET = "member.set"
    MEMBER_REMOVED = "member.removed"
    EXAMPLES_INGESTED = "examples.ingested"
    EXAMPLE_ASKED_AGAIN = "example.asked_again"
    EXAMPLE_DELETED = "example.deleted"
    EXAMPLE_ALLOWED = "example.allowed"
    COLUMNS_SET = "columns.set"
    DATA_EXPORTED = "data.exported"
    VERSIONS_POLICY = "versions.policy"
    VERSIONS_DROPPED = "versions.dropped"
    QUEUE_SET = "queue.set"
    QUEUE_SETTLED = "queue.settled"
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
    RUN_DESCRIBED = "run.described"
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
    GATE_POLICY_SET = "gate_policy.set"
    GATES_OVERRIDDEN = "gates.overridden"
    SENSITIVE_SET = "sensitive_columns.set"
    GAP_MEASURED = "gap.measured"
    MODEL_REGISTERED = "model.registered"
    MODEL_DOWNLOADED = "model.downloaded"
    MODEL_PROMOTED = "model.promoted"
    MODEL_ROLLED_BACK = "model.rolled_back"
    MODEL_SERVING = "model.serving"
    RELEASE_POLICY_SET = "release_policy.set"
    RELEASE_RULES_SET = "release_rules.set"
    RELEASE_ASKED = "release.asked"
    RELEASE_APPROVED = "release.approved"
    RELEASE_DECLINED = "release.declined"
    RELEASE_REQUEST_ENDED = "release.request_ended"
    ALIAS_SET = "alias.set"
    ALIAS_REMOVED = "alias.removed"
    ROLLOUT_STARTED = "rollout.started"
    ROLLOUT_MOVED = "rollout.moved"
    ROLLOUT_PAUSED = "rollout.paused"
    ROLLOUT_RESUMED = "rollout.resumed"
    ROLLOUT_ABORTED = "rollout.aborted"
    MONITOR_POLICY_SET = "monitor_policy.set"
    ALERT_JUDGED = "alert.judged"
    ALERT_RAISED = "alert.raised"
    ALERT_WORSENED = "alert.worsened"
    ALERT_RESOLVED = "alert.resolved"
    ALERT_FOLLOWED = "alert.followed"
    ALARM_POLICY_SET = "alarm_policy.set"
    FEEDBACK_SET = "feedback.set"
    TARGET_SET = "target.set"
    NOTICE_SNOOZED = "notice.snoozed"
    NOTICE_ASSIGNED = "notice.assigned"
    NOTICE_COMMENTED = "notice.commented"
    NOTICE_RESOLVED = "notice.resolved"
    NOTICE_POLICY_SET = "notice_policy.set"
    SOURCE_ADDED = "source.added"
    SOURCE_CHANGED = "source.changed"
    SOURCE_STATE = "source.state"
    SOURCE_REPLAYED = "source.replayed"
    SOURCE_REMOVED = "source.removed"
    STUDIO_OPENED = "label_studio.opened"
    STUDIO_CLOSED = "label_studio.closed"
    WEBHOOK_ADDED = "webhook.added"
    WEBHOOK_CHANGED = "webhook.changed"
    WEBHOOK_ON = "webhook.switched_on"
    WEBHOOK_OFF = "webhook.switched_off"
    WEBHOOK_REMOVED = "webhook.removed"
    LAP_CLOSED = "lap.closed"


OF_THE_SITE = ("person.", "token.", "encoder.", "project.deleted")  # never in the trail of a project
IN_PROJECTS = tuple(verb for verb in Verb if not verb.startswith(OF_THE_SITE))


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
_ROLLOUT = EventPayload("rollout", {"step": int, "weight": _NUMBER})
_CHAMPION = EventPayload("model", {"champion": int | None, "reason": str})
_REQUEST = EventPayload("release request", {"version": int, "state": str, "words": str})
_LABEL = EventPayload("label", {"label": str})
_SOURCE = EventPayload("source", {"name": str, "events": str, "state": str, "mapping": dict})
_WEBHOOK = EventPayload("webhook", {"name": str, "verbs": list, "format": str})
PAYLOADS: dict[Verb, EventPayload] = {
    Verb.ENCODER_ADDED: EventPayload("encoder", {"url": str}),
    Verb.SIGNED_IN: EventPayload("user", {"address": str, "failures": int}),
    Verb.SIGN_IN_FAILED: EventPayload("user", {"address": str}),
    Verb.SIGN_IN_LOCKED: EventPayload("sign-in", {"address": str, "failures": int, "wait_s": int}),
    Verb.PASSWORD_CHANGED: EventPayload("user", {"tokens_ended": int}),
    Verb.NAME_SET: EventPayload("user", {"display_name": str}),
    Verb.MAIL_SET: EventPayload("user"),
    Verb.PERSON_INVITED: EventPayload("invitation", {"username": str, "role": str | None, "project": int | None}),
    Verb.PERSON_JOINED: EventPayload("user", {"username": str}),
    Verb.RESET_LINK_MADE: EventPayload("user"),
    Verb.LINK_WITHDRAWN: EventPayload("link"),
    Verb.PERSON_DEACTIVATED: EventPayload("user"),
    Verb.PERSON_REACTIVATED: EventPayload("user"),
    Verb.PERSON_RIGHTS_SET: EventPayload("user", {"is_superuser": bool, "may_create_projects": bool}),
    Verb.SESSIONS_ENDED: EventPayload("user", {"tokens_ended": int}),
    Verb.TOKEN_MADE: EventPayload("user", {"name": str, "scope": str, "ends": str | None}),
    Verb.TOKEN_REVOKED: EventPayload("user", {"name": str, "owner": str}),
    Verb.PROJECT_CREATED: EventPayload("project", {"task_type": str}),
    Verb.SCHEMA_EXTENDED: EventPayload("project", {"labels": list}),
    Verb.SCHEMA_RETIRED: _LABEL,
    Verb.SCHEMA_RESTORED: _LABEL,
    Verb.SCHEMA_EDITED: EventPayload("label", open=True),
    Verb.PROJECT_RENAMED: EventPayload("project", {"name": str}),
    Verb.PROJECT_ARCHIVED: EventPayload("project"),
    Verb.PROJECT_UNARCHIVED: EventPayload("project"),
    Verb.PROJECT_DELETED: EventPayload("project", {"name": str, "reason": str, "gone": dict}),
    Verb.GUIDELINES_WRITTEN: EventPayload("guidelines"),
    Verb.MEMBER_SET: EventPayload("user", {"role": str | None}),
    Verb.MEMBER_REMOVED: EventPayload("user", {"role": str}),
    Verb.EXAMPLE_ASKED_AGAIN: EventPayload("example"),
    Verb.EXAMPLE_DELETED: EventPayload("example", {"reason": str}),
    Verb.EXAMPLE_ALLOWED: EventPayload("example"),
    Verb.EXAMPLES_INGESTED: EventPayload(
        "ingestion", {"labels": int, "gold": int, "answers": int, "answers_of_others": int}
    ),
    Verb.COLUMNS_SET: EventPayload("project", {"roles": dict, "make_ids": bool}),
    Verb.DATA_EXPORTED: EventPayload("project", {"format": str, "grain": str}),
    Verb.VERSIONS_POLICY: EventPayload("data versions", open=True),
    Verb.VERSIONS_DROPPED: EventPayload("data versions", {"dropped": list}),
    Verb.QUEUE_SET: EventPayload("project", open=True),
    Verb.QUEUE_SETTLED: EventPayload("project", {"settled": int}),
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
    Verb.RUN_DESCRIBED: EventPayload("run", {"name": str, "note": str, "tags": list}),
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
    Verb.GATE_POLICY_SET: EventPayload("gate policy", {"policy": dict}),
    Verb.GATES_OVERRIDDEN: EventPayload("run", {"gates": list, "reason": str}),
    Verb.SENSITIVE_SET: EventPayload("project", {"columns": list}),
    Verb.GAP_MEASURED: EventPayload("run", {"points": _NUMBER, "low": _NUMBER, "high": _NUMBER}),
    Verb.MODEL_REGISTERED: EventPayload("model", {"outcome": str}),
    Verb.MODEL_DOWNLOADED: EventPayload("model", {"weights": str, "bytes": int}),
    Verb.MODEL_PROMOTED: _CHAMPION,
    Verb.MODEL_ROLLED_BACK: _CHAMPION,
    Verb.MODEL_SERVING: EventPayload("model"),
    Verb.RELEASE_POLICY_SET: EventPayload("release policy", {"policy": dict}),
    Verb.RELEASE_RULES_SET: EventPayload("project", {"approval": str, "alias_roles": dict}),
    Verb.RELEASE_ASKED: _REQUEST,
    Verb.RELEASE_APPROVED: _REQUEST,
    Verb.RELEASE_DECLINED: _REQUEST,
    Verb.RELEASE_REQUEST_ENDED: _REQUEST,
    Verb.ALIAS_SET: EventPayload("alias", {"version": int}),
    Verb.ALIAS_REMOVED: EventPayload("alias", {"version": int}),
    Verb.ROLLOUT_STARTED: EventPayload("rollout", {"version": int, "reason": str}),
    Verb.ROLLOUT_MOVED: _ROLLOUT,
    Verb.ROLLOUT_PAUSED: _ROLLOUT,
    Verb.ROLLOUT_RESUMED: _ROLLOUT,
    Verb.ROLLOUT_ABORTED: EventPayload("rollout", {"step": int}),
    Verb.MONITOR_POLICY_SET: EventPayload("monitor policy", {"policy": dict}),
    Verb.ALERT_JUDGED: EventPayload("alert", {"verdict": str}),
    Verb.ALERT_RAISED: EventPayload("alert", {"severity": str, "cause": str}),
    Verb.ALERT_WORSENED: EventPayload("alert", {"severity": str, "cause": str}),
    Verb.ALERT_RESOLVED: EventPayload("alert"),
    Verb.ALERT_FOLLOWED: EventPayload(
        "alert",
        {"link": str, "version": int, "run": int, "examples": int, "judges": int, "before": _NUMBER, "after": _NUMBER},
    ),
    Verb.ALARM_POLICY_SET: EventPayload("alarm policy", {"policy": dict}),
    Verb.FEEDBACK_SET: EventPayload("feedback", open=True),
    Verb.SOURCE_ADDED: _SOURCE,
    Verb.SOURCE_CHANGED: _SOURCE,
    Verb.SOURCE_STATE: _SOURCE,
    Verb.SOURCE_REPLAYED: EventPayload("source", {"name": str, "place": str}),
    Verb.SOURCE_REMOVED: _SOURCE,
    Verb.STUDIO_OPENED: EventPayload("project"),
    Verb.STUDIO_CLOSED: EventPayload("project"),
    Verb.WEBHOOK_ADDED: _WEBHOOK,
    Verb.WEBHOOK_CHANGED: _WEBHOOK,
    Verb.WEBHOOK_ON: _WEBHOOK,
    Verb.WEBHOOK_OFF: _WEBHOOK,
    Verb.WEBHOOK_REMOVED: _WEBHOOK,
    Verb.TARGET_SET: EventPayload("target", {"hours": _NUMBER}),
    Verb.NOTICE_SNOOZED: EventPayload("notice", {"until": str | None}),
    Verb.NOTICE_ASSIGNED: EventPayload("notice", {"to": str}),
    Verb.NOTICE_COMMENTED: EventPayload("notice"),
    Verb.NOTICE_RESOLVED: EventPayload("notice", {"note": str}),
    Verb.NOTICE_POLICY_SET: EventPayload("notice policy", {"policy": dict}),
    Verb.LAP_CLOSED: EventPayload("lap", {"p90_s": _NUMBER, "breached": bool}),
}
