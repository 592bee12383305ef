"""One real call of every operation, in an order in which each has something to work on."""

import json
from collections.abc import Callable
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from apps.accounts.models import User
from tests.api import api_of
from tests.architecture.test_roles import Things
from tests.schema.alarms import labeled_lane, suspecting
from tests.schema.documents import Operation

Body = dict[str, Any] | None
CLIENT_ID = "5f0a6d1e-7b62-4e0c-9f5e-3f6f3a7a2b10"


class Asked:
    """Calls one operation after another; what one replies is there for the next."""

    def __init__(self, world: Things, by: User) -> None:
        self.world, self.client = world, api_of(by)
        self.replies: dict[str, Any] = {}
        self.sent: dict[str, Body] = {}

    def call(self, operation: Operation) -> Any:
        body = BODIES.get(operation.id)
        sent = body(self) if callable(body) else body
        ids = {**self.world.ids, **IDS.get(operation.id, lambda _: {})(self)}
        address = operation.path.format(**ids)
        query = QUERIES.get(operation.id)
        reply = self._sent(operation, address + (f"?{query}" if query else ""), sent)
        self.replies[operation.id] = reply
        self.sent[operation.id] = None if operation.id == "uploads_create" else sent
        return reply

    def _sent(self, operation: Operation, address: str, body: Body) -> Any:
        client: APIClient = self.client
        if operation.id == "uploads_create":
            file = SimpleUploadedFile("mail.jsonl", b'{"id": "u1", "text": "hello"}\n')
            return client.post(address, {"file": file}, format="multipart")
        return client.generic(
            operation.method, address, json.dumps(body) if body is not None else "", content_type="application/json"
        )

    def archived(self) -> int:
        """The project that was made first, in the archive, from which alone one is deleted."""
        made = int(self.of("projects_create")["id"])
        body = json.dumps({"archived": True})
        self.client.generic("PATCH", f"/api/v1/projects/{made}/", body, content_type="application/json")
        return made

    def of(self, operation_id: str) -> Any:
        return self.replies[operation_id].json()


def _first(asked: Asked) -> dict[str, Any]:
    return dict(asked.of("assignments_next")["assignments"][0])


BODIES: dict[str, Body | Callable[[Asked], Body]] = {
    "encoders_add": {"name": "our-domain-v2", "title": "Our domain", "url": "s3://models/our-domain-v2"},
    "projects_create": {
        "name": "Invoices",
        "task_type": "text-classification",
        "labels": [{"name": "paid", "color": "#2a78d6", "hotkey": "P"}, {"name": "open"}],
    },
    "mapping_set": {"roles": {"message": "text", "category": "label", "noise": "ignore"}, "make_ids": True},
    "examples_create": {
        "examples": [{"id": "m-100", "text": "Where is my parcel?"}, {"id": "m-101", "text": "Thanks!", "label": "ham"}]
    },
    "assignments_next": {"count": 2},
    "annotations_submit": lambda asked: {
        "client_id": CLIENT_ID,
        "assignment": _first(asked)["id"],
        "token": _first(asked)["token"],
        "label": "ham",
        "active_ms": 2300,
    },
    "members_set": {"username": "mallory", "role": "annotator"},
    "alerts_resolve": {"note": "A holiday: fewer letters, and shorter ones."},
    "auto_labeling_set": {"enabled": True},
    "queue_set": {"overlap": 2},
    "feedback_send": {
        "rows": [
            {"inference_id": "q0", "label": "spam", "at": "2026-11-02T13:10:00Z"},
            {"inference_id": "q1", "name": "click", "value": 1},
            {"inference_id": "q2", "label": "eggs"},
        ]
    },
    "sources_add": {
        "name": "Orders of shops",
        "place": {"stream": "orders"},
        "events": "examples",
        "mapping": {"id": "order.id", "text": "order.note"},
    },
    "sources_change": {"running": False},
    "source_events_send": {"events": [{"order": {"id": "m-200", "note": "Please leave it with my neighbor."}}]},
    "sources_replay": {"since": "beginning"},
    "webhooks_add": {
        "name": "On call",
        "url": "https://hooks.example.org/fastloop",
        "verbs": ["alert.raised", "rollout.aborted", "run.failed"],
    },
    "webhooks_change": {"verbs": ["alert.raised"]},
    "notices_snooze": {"span": "tomorrow", "over": 0},
    "notices_assign": {"username": "lin"},
    "notices_comment": {"text": "The new scanner came this morning; look at what it sends."},
    "notices_resolve": {"note": "A new scanner: its pictures are darker."},
    "notice_choices_set": {
        "mail_to": "alma@example.com",
        "levels": {"run-failed.warning": "mail"},
        "quiet_begins": "22:00",
        "quiet_ends": "07:00",
    },
    "notice_policy_set": {"yaml": "routes: [{severity: alarm, roles: [manager, engineer], people: [rosa]}]"},
    "feedback_settings_set": {"maturity_hours": 24, "zero_names": ["click"], "payloads": "sample", "sample_share": 0.1},
    "examples_correct": {
        "client_id": "0b9d4c0e-52a1-4a0f-8a3a-6d9f1f5f2c11",
        "label": "ham",
        "error_kind": "slip",
        "comment": "It is signed by a customer.",
    },
    "examples_delete": {"reason": "Asked by whom it tells of, on 1 November."},
    "schema_add": {"name": "unsure", "hotkey": "U"},
    "schema_edit": {"description": "What somebody wants to sell.", "color": "#c2386b"},
    "projects_rename": {"name": "Letters of customers"},
    "runs_create": {"kind": "full"},
    "runs_prioritize": {"priority": 1},
    "runs_describe": {
        "name": "Small steps",
        "note": "Half the learning rate of run 1.",
        "tags": ["baseline", "low rate"],
    },
    "trigger_set": {"enabled": True, "new_labels": 100},
    "online_set": {"enabled": False},
    "schedules_set": {"kind": "full", "enabled": True, "days": [0, 2, 4], "time": "06:30", "zone": "Europe/Berlin"},
    "policy_set": {"runs_at_once": 1},
    "sweeps_start": {"trials": 4},
    "target_set": {"hours": 24},
    "models_promote": {"reason": "The rare labels matter more to us than the mean."},
    "alarm_policy_set": {"yaml": "rollback: {mode: auto, window: 6h}\nlane: {mode: auto, examples: 90}"},
    "monitor_policy_set": {"yaml": "budget: 1\nmonitors: [{type: class_mix}, {type: volume}]"},
    "gate_policy_set": {"yaml": "gates: [{type: loads}, {type: gain, parameters: {allowedLoss: 0.01}}]"},
    "sensitive_columns_set": {"columns": ["country"]},
    "gates_override": {"reason": "The rare labels matter more to us than the mean."},
    "release_policy_set": {"yaml": "steps: [{setWeight: 10}, {pause: {duration: 2h}}, {setWeight: 100}]"},
    "aliases_set": {"version": 2},
    "release_rules_set": {"approval": "second-person", "alias_roles": {"staging": ["engineer", "manager"]}},
    "release_requests_approve": {"reason": "The report looks right to me."},
    "release_requests_decline": {"reason": "The holdout has too few of the rare labels."},
    "rollouts_replay": {"yaml": "steps: [{setWeight: 10}, {pause: {duration: 10s}}, {setWeight: 100}]"},
    "rollouts_promote": {"reason": "It served the whole week beside the champion."},
    "models_roll_back": {"champion": 2, "reason": "It answers too slowly."},
    "predict": {"id": "q-1", "inputs": [{"name": "text", "datatype": "BYTES", "shape": [1], "data": ["Where is it?"]}]},
}
QUERIES = {
    "examples_list": "page_size=2",
    "export": "as=jsonl&what=labels",
    "projects_delete": "name=Invoices&reason=The+contract+ended.",
}


def _webhook(asked: Asked) -> dict[str, Any]:
    return {"webhook_id": asked.of("webhooks_add")["id"]}


def _source(asked: Asked) -> dict[str, Any]:
    return {"source_id": asked.of("sources_add")["id"]}


IDS: dict[str, Callable[[Asked], dict[str, Any]]] = {
    "annotations_withdraw": lambda _: {"client_id": CLIENT_ID},
    "dataset_versions_diff": lambda asked: {"number": asked.world.ids["dataset_version"]},
    "dataset_versions_changes": lambda asked: {"number": asked.world.ids["dataset_version"]},
    "encoders_check": lambda _: {"name": "our-domain-v2"},
    "gates_override": lambda asked: {"run_id": asked.world.ids["doubted_run_id"]},
    "runs_cancel": lambda asked: {"run_id": asked.of("runs_create")["id"]},
    "runs_prioritize": lambda asked: {"run_id": asked.of("runs_create")["id"]},
    "examples_delete": lambda asked: {"example_id": asked.of("examples_list")["results"][0]["id"]},
    "deleted_examples_allow": lambda asked: {"number": asked.of("examples_delete")["number"]},
    "release_requests_approve": lambda asked: {"request_id": asked.world.ids["waiting_request_id"]},
    "models_release": lambda asked: {"version_id": asked.world.ids["next_version_id"]},
    "rollouts_pause": lambda asked: {"rollout_id": asked.of("models_release")["id"]},
    "rollouts_resume": lambda asked: {"rollout_id": asked.of("models_release")["id"]},
    "rollouts_abort": lambda asked: {"rollout_id": asked.of("models_release")["id"]},
    "rollouts_replay": lambda asked: {"rollout_id": asked.of("models_release")["id"]},
    "rollouts_promote": lambda asked: {"rollout_id": asked.world.ids["waiting_rollout_id"]},
    "projects_delete": lambda asked: {"project_id": asked.archived()},
    "deletions_read": lambda asked: {"number": asked.of("projects_delete")["project"]},
    **dict.fromkeys(
        ("webhooks_read", "webhooks_change", "webhooks_rotate", "webhooks_test", "webhooks_remove"), _webhook
    ),
    **dict.fromkeys(("sources_read", "sources_change", "sources_test", "sources_replay", "sources_remove"), _source),
    **dict.fromkeys(("source_events_send", "source_letters_list"), _source),
    "webhook_deliveries_list": _webhook,
    "webhook_deliveries_repeat": lambda asked: {**_webhook(asked), "delivery_id": asked.of("webhooks_test")["id"]},
    "alerts_roll_back": lambda asked: {"alert_id": suspecting(asked.world.project)},
    "alerts_label": lambda asked: {"alert_id": asked.of("alerts_roll_back")["alert"]},
    "alerts_train": lambda asked: {"alert_id": labeled_lane(asked.of("alerts_roll_back")["alert"])},
    "alerts_follow": lambda asked: {"alert_id": asked.of("alerts_roll_back")["alert"]},
    "members_remove": lambda asked: {"user_id": asked.of("members_set")["user_id"]},
}
# First these, since later ones need what they make; then the others; then what takes things away.
FIRST = (
    "encoders_add",
    "projects_create",
    "examples_create",
    "uploads_create",
    "assignments_next",
    "annotations_submit",
    "sweeps_cancel",
    "release_requests_decline",
    "models_promote",
    "feedback_send",
    "sources_add",
    "source_events_send",
    "webhooks_add",
    "webhooks_test",
    "release_policy_set",
    "models_release",
    "rollouts_pause",
    "rollouts_resume",
    "rollouts_abort",
    "notices_snooze",
    "notices_assign",
    "notices_comment",
    "notice_choices_set",
    "notice_mail_test",
)
LAST = (
    "runs_prioritize",
    "runs_cancel",
    "annotations_withdraw",
    "auto_batches_withdraw",
    "examples_delete",
    "deleted_examples_allow",
    "members_remove",
    "sources_remove",
    "webhooks_remove",
    "alerts_roll_back",
    "alerts_label",
    "alerts_train",
    "alerts_follow",
    "notices_resolve",
    "aliases_remove",
    "projects_delete",
    "deletions_list",
    "deletions_read",
)


def in_order(operations: dict[str, Operation]) -> list[Operation]:
    middle = [name for name in operations if name not in (*FIRST, *LAST)]
    reads = [name for name in middle if operations[name].method == "GET"]
    writes = [name for name in middle if operations[name].method != "GET"]
    return [operations[name] for name in (*FIRST, *writes, *reads, *LAST) if name in operations]
