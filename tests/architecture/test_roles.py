"""Every address of the console against everybody. The table says who may; the resolver says what there is.

A route or a method that is missing here fails, so a new view cannot forget to ask who is there.
"""

import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone
from knox.models import AuthToken

from apps.accounts.models import User
from apps.datasets.models import Example, ExampleBlob, ExampleTombstone, SavedView
from apps.datasets.services import ingestion_open
from apps.integrations import wiring
from apps.monitoring.services import alert_raise
from apps.notices.hearing import notices_collect
from apps.notices.models import Notice
from apps.people.links import reset_make
from apps.projects.models import Project, ProjectDeletion
from apps.releases.models import ReleaseRequest
from apps.releases.registry.aliases import alias_set
from apps.releases.services import model_promote
from apps.sources.services import source_add
from apps.webhooks.services import webhook_add, webhook_test
from tests import rows
from tests.conftest import NOON

ROLES = frozenset({"annotator", "reviewer", "manager", "engineer", "admin"})
STRANGER, NOBODY = "stranger", "nobody"
MEMBERS = ROLES
LABELERS = frozenset({"annotator", "reviewer", "manager", "admin"})
DATA = frozenset({"reviewer", "manager", "engineer", "admin"})
REVIEWERS = frozenset({"reviewer", "manager", "admin"})
SENDERS = frozenset({"manager", "engineer", "admin"})
OVERSEERS = frozenset({"manager", "engineer", "admin"})
MANAGERS = frozenset({"manager", "admin"})
ENGINEERS = frozenset({"engineer", "admin"})
CREATORS = frozenset({"admin"})  # Alma's account may create projects, whatever her role
SIGNED_IN = ROLES | {STRANGER}
EVERYBODY = SIGNED_IN | {NOBODY}
STUDIO = [f"studio_backend:{name}" for name in ("health", "setup", "predict", "webhook", "versions")]
BY_KEY = {
    "metrics": 401,
    **dict.fromkeys(STUDIO, 404),
}  # for programs with a key or a secret address, whoever is signed in
KEEPERS: frozenset[str] = frozenset()  # who runs the console has no role; tests/features has the one who may
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

TABLE: dict[str, dict[str, frozenset[str]]] = {
    "": dict.fromkeys(METHODS, EVERYBODY),  # the bare address leads to the projects
    "accounts:sign_in": {"GET": EVERYBODY, "POST": EVERYBODY, "PUT": EVERYBODY},
    "language": {"POST": EVERYBODY},
    "script-words": {"GET": EVERYBODY},
    "metrics": {"GET": KEEPERS},  # who has the predictor's key; tests/loop/telemetry
    "studio_backend:health": {"GET": KEEPERS},  # who knows the secret address; tests/label_studio
    "studio_backend:setup": {"POST": KEEPERS},
    "studio_backend:predict": {"POST": KEEPERS},
    "studio_backend:webhook": {"POST": KEEPERS},
    "studio_backend:versions": {"GET": KEEPERS, "POST": KEEPERS},
    "label_studio:settings": {"GET": OVERSEERS},
    "label_studio:address": {"POST": OVERSEERS},
    "label_studio:close": {"POST": OVERSEERS},
    "accounts:sign_in_here": {"GET": EVERYBODY, "POST": EVERYBODY},
    "accounts:sign_out": {"POST": EVERYBODY},
    "accounts:account": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "accounts:time_zone": {"POST": SIGNED_IN},
    "accounts:token_create": {"POST": SIGNED_IN},
    "accounts:token_revoke": {"POST": SIGNED_IN},
    "portfolio:projects": {"GET": SIGNED_IN},
    "notices:notices": {"GET": SIGNED_IN},
    "notices:bell": {"GET": SIGNED_IN},
    "notices:toasts": {"GET": SIGNED_IN},
    "notices:read_all": {"POST": SIGNED_IN},
    "notices:choices": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "notices:trial": {"POST": SIGNED_IN},
    "notices:trial_state": {"GET": SIGNED_IN},
    "notices:of_alarm": {"GET": OVERSEERS},
    "notices:notice": {"GET": OVERSEERS},  # of a monitor; who sees which kind: tests/notices/test_pages
    "notices:snooze": {"POST": OVERSEERS},
    "notices:assign": {"POST": OVERSEERS},
    "notices:comment": {"POST": OVERSEERS},
    "notices:resolve": {"POST": OVERSEERS},
    "notice_policy:policy": {"GET": OVERSEERS},
    "notice_policy:policy_set": {"POST": OVERSEERS},
    "notice_policy:yaml_set": {"POST": OVERSEERS},
    "accounts:password_change": {"POST": SIGNED_IN},
    "accounts:link": {"GET": EVERYBODY, "POST": EVERYBODY},
    "people:people": {"GET": KEEPERS, "POST": KEEPERS},
    "people:trail": {"GET": KEEPERS},
    "people:link_withdraw": {"POST": KEEPERS},
    "people:person": {"GET": KEEPERS},
    "people:reset": {"POST": KEEPERS},
    "people:active_set": {"POST": KEEPERS},
    "people:access_end": {"POST": KEEPERS},
    "people:rights_set": {"POST": KEEPERS},
    "people:token_end": {"POST": KEEPERS},
    "features:encoders": {"GET": KEEPERS, "POST": KEEPERS},
    "features:check": {"POST": KEEPERS},
    "setup:new": {"GET": CREATORS, "POST": CREATORS},
    "projects:settings": {"GET": MEMBERS},
    "projects:labels_add": {"POST": MANAGERS},
    "setup:label": {"GET": MANAGERS, "POST": MANAGERS},
    "setup:rename": {"GET": MANAGERS, "POST": MANAGERS},
    "projects:label_retire": {"POST": MANAGERS},
    "closing:deletions": {"GET": SIGNED_IN},
    "closing:archive": {"GET": MANAGERS},
    "closing:archive_now": {"POST": MANAGERS},
    "closing:unarchive": {"POST": MANAGERS},
    "closing:delete": {"POST": MANAGERS},
    "projects:guidelines_write": {"POST": MANAGERS},
    "projects:guidelines_preview": {"POST": MANAGERS},
    "queue:settings": {"GET": MEMBERS},
    "queue:set": {"POST": MANAGERS},
    "queue:settling": {"GET": MEMBERS},
    "projects:members": {"GET": MANAGERS, "POST": MANAGERS},
    "projects:member_remove": {"POST": MANAGERS},
    "projects:audit": {"GET": OVERSEERS},
    "projects:audit_chain": {"GET": OVERSEERS},
    "loop:overview": {"GET": MEMBERS},
    "loop:day": {"GET": LABELERS},
    "loop:band": {"GET": MEMBERS},
    "loop:clock": {"GET": DATA},
    "loop:activity": {"GET": OVERSEERS},
    "loop:running": {"GET": MEMBERS},
    "loop:run_start": {"POST": ENGINEERS},
    "loop:upload": {"POST": SENDERS},
    "loop:columns": {"GET": SENDERS, "POST": SENDERS},
    "loop:columns_of_upload": {"GET": SENDERS, "POST": SENDERS},
    "loop:upload_drop": {"POST": SENDERS},
    "loop:drift_check": {"POST": OVERSEERS},
    "datasets:data": {"GET": DATA},
    "datasets:counts": {"GET": DATA},
    "datasets:ingestions": {"GET": DATA},
    "datasets:dead_letters": {"GET": DATA},
    "datasets:versions": {"GET": DATA},
    "datasets:version_policy": {"POST": MANAGERS},
    "datasets:version": {"GET": DATA},
    "examples:page": {
        "GET": DATA
    },  # whoever only labels opens what waits or is theirs; see tests/loop/test_example_page
    "examples:correct": {"POST": REVIEWERS},
    "examples:take": {"POST": REVIEWERS},
    "examples:again": {"POST": REVIEWERS},
    "examples:flag": {"POST": LABELERS},
    "examples:delete": {"POST": MANAGERS},
    "datasets:deleted": {"GET": DATA},
    "datasets:view_save": {"POST": DATA},
    "datasets:view_remove": {"POST": DATA},
    "datasets:allow": {"POST": MANAGERS},
    "api-example": {"GET": DATA},
    "api-example-delete": {"POST": MANAGERS},
    "api-example-correct": {"POST": REVIEWERS},
    "api-example-flag": {"POST": LABELERS},
    "api-example-ask-again": {"POST": REVIEWERS},
    "api-deleted-examples": {"GET": DATA},
    "api-deleted-example-allow": {"POST": MANAGERS},
    "bulk:bulk": {"GET": LABELERS},
    "bulk:label": {"POST": LABELERS},
    "bulk:undo": {"POST": LABELERS},
    "bulk:search": {"GET": MEMBERS},
    "bulk:take": {"POST": LABELERS},
    "bulk:flag": {"POST": LABELERS},
    "transfer:export": {"GET": DATA},
    "transfer:file": {"GET": DATA},
    "datasets:image": {"GET": MEMBERS},  # who labels must see it, who sees the data may
    "labeling:desk": {"GET": LABELERS},
    "labeling:next": {"POST": LABELERS},
    "labeling:answer": {"POST": LABELERS},
    "labeling:edit": {"POST": LABELERS},
    "labeling:undo": {"POST": LABELERS},
    "labeling:past": {"GET": LABELERS},
    "labeling:renew": {"POST": LABELERS},
    "labeling:release": {"POST": LABELERS},
    "quality:overview": {"GET": DATA},
    "quality:summary": {"GET": DATA},
    "quality:figures": {"GET": DATA},
    "quality:compare": {"POST": MANAGERS},
    "quality:people": {"GET": DATA},
    "quality:people_figures": {"GET": DATA},
    "quality:export": {"GET": DATA},
    "quality:person": {"GET": DATA},
    "quality:person_figures": {"GET": DATA},
    "quality:lift": {"POST": REVIEWERS},
    "quality:mine": {"GET": LABELERS},
    "quality:mine_figures": {"GET": LABELERS},
    "quality:reviews": {"GET": DATA},
    "quality:doubts": {"GET": DATA},
    "quality:gold": {"GET": DATA},
    "quality:gold_add": {"POST": MANAGERS},
    "quality:gold_paste": {"POST": MANAGERS},
    "quality:gold_remove": {"POST": MANAGERS},
    "training:runs": {"GET": OVERSEERS},
    "training:trigger": {"POST": ENGINEERS},
    "training:cancel": {"POST": ENGINEERS},
    "training:curves": {"GET": OVERSEERS},
    "training:log": {"GET": OVERSEERS},
    "training:schedules": {"GET": OVERSEERS},
    "training:schedule": {"POST": ENGINEERS},
    "training:places": {"POST": ENGINEERS},
    "training:priority": {"POST": ENGINEERS},
    "training:online": {"GET": OVERSEERS},
    "training:online_settings": {"POST": ENGINEERS},
    "training:online_publish": {"POST": ENGINEERS},
    "training:online_figures": {"GET": OVERSEERS},
    "training:sweeps": {"GET": OVERSEERS},
    "training:sweep_start": {"POST": ENGINEERS},
    "training:sweep": {"GET": OVERSEERS},
    "training:sweep_cancel": {"POST": ENGINEERS},
    "training:sweep_figures": {"GET": OVERSEERS},
    "evaluation:freshness": {"GET": OVERSEERS},
    "evaluation:freshness_figures": {"GET": OVERSEERS},
    "evaluation:fall_back": {"POST": ENGINEERS},
    "lineage:ledger": {"GET": OVERSEERS},
    "releases:model": {"GET": OVERSEERS},
    "releases:download": {"GET": ENGINEERS},
    "releases:models": {"GET": OVERSEERS},
    "releases:promote": {"POST": ENGINEERS},
    "releases:roll_back": {"POST": ENGINEERS},
    "reports:report": {"GET": OVERSEERS},
    "sources:sources": {"GET": OVERSEERS, "POST": OVERSEERS},
    "sources:listed": {"GET": OVERSEERS},
    "sources:source": {"GET": OVERSEERS, "POST": OVERSEERS},
    "sources:state": {"GET": OVERSEERS},
    "sources:figures": {"GET": OVERSEERS},
    "sources:act": {"POST": OVERSEERS},
    "webhooks:webhooks": {"GET": OVERSEERS, "POST": OVERSEERS},
    "webhooks:webhook": {"GET": OVERSEERS, "POST": OVERSEERS},
    "webhooks:log": {"GET": OVERSEERS},
    "webhooks:act": {"POST": OVERSEERS},
    "webhooks:remove": {"POST": OVERSEERS},
    "webhooks:repeat": {"POST": OVERSEERS},
    "reports:figures": {"GET": OVERSEERS},
    "reports:card": {"GET": OVERSEERS},
    "reports:override": {"POST": MANAGERS},
    "gates:policy": {"GET": OVERSEERS},
    "gates:policy_set": {"POST": OVERSEERS},
    "gates:sensitive_set": {"POST": MANAGERS},
    "gates:yaml_set": {"POST": OVERSEERS},
    "releases:alias_set": {"POST": ENGINEERS},  # where no rule gives the alias to others: tests/releases/test_aliases
    "releases:alias_remove": {"POST": ENGINEERS},
    "releases:request_approve": {"POST": OVERSEERS},
    "releases:request_decline": {"POST": OVERSEERS},
    "releases:rules_set": {"POST": MANAGERS},
    "releases:policy": {"GET": OVERSEERS},
    "releases:policy_set": {"POST": ENGINEERS},
    "releases:policy_yaml_set": {"POST": ENGINEERS},
    "releases:rollout": {"GET": OVERSEERS},
    "releases:rollout_figures": {"GET": OVERSEERS},
    "releases:rollout_pause": {"POST": ENGINEERS},
    "releases:rollout_resume": {"POST": ENGINEERS},
    "releases:rollout_promote": {"POST": ENGINEERS},
    "releases:rollout_abort": {"POST": ENGINEERS},
    "releases:try": {"POST": ENGINEERS},
    "lineage:run": {"GET": OVERSEERS},
    "lineage:run_describe": {"POST": ENGINEERS},
    "lineage:run_again": {"GET": ENGINEERS, "POST": ENGINEERS},
    "lineage:run_again_differs": {"GET": ENGINEERS},
    "lineage:run_head": {"GET": OVERSEERS},
    "lineage:run_progress": {"GET": OVERSEERS},
    "lineage:run_verdict": {"GET": OVERSEERS},
    "lineage:run_figures": {"GET": OVERSEERS},
    "lineage:lineage": {"GET": OVERSEERS},
    "lineage:compare": {"GET": OVERSEERS},
    "lineage:compare_figures": {"GET": OVERSEERS},
    "evaluation:learning": {"GET": OVERSEERS},
    "evaluation:summary": {"GET": OVERSEERS},
    "evaluation:order": {"GET": OVERSEERS},
    "evaluation:figures": {"GET": OVERSEERS},
    "evaluation:auto": {"GET": OVERSEERS},
    "evaluation:auto_labeling": {"POST": MANAGERS},
    "evaluation:auto_withdraw": {"POST": MANAGERS},
    "evaluation:rate": {"POST": MANAGERS},
    "monitoring:monitor": {"GET": OVERSEERS},
    "monitoring:numbers": {"GET": OVERSEERS},
    "monitoring:figures": {"GET": OVERSEERS},
    "monitoring:drift": {"GET": OVERSEERS},
    "monitoring:alerts": {"GET": OVERSEERS},
    "monitoring:slices": {"GET": OVERSEERS},
    "monitoring:resolve": {"POST": OVERSEERS},
    "mending:alarm": {"GET": OVERSEERS},
    "mending:roll_back": {"POST": ENGINEERS},
    "mending:lane": {"POST": SENDERS},
    "mending:retrain": {"POST": ENGINEERS},
    "mending:policy": {"GET": OVERSEERS},
    "mending:policy_set": {"POST": OVERSEERS},
    "mending:yaml_set": {"POST": OVERSEERS},
    "monitors:monitors": {"GET": OVERSEERS},
    "monitors:figures": {"GET": OVERSEERS},
    "monitors:weigh": {"POST": OVERSEERS},
    "monitors:policy": {"GET": OVERSEERS},
    "monitors:policy_set": {"POST": OVERSEERS},
    "monitors:yaml_set": {"POST": OVERSEERS},
    "monitors:reading": {"GET": OVERSEERS},
    "monitors:request": {"GET": OVERSEERS},
    "monitors:reading_figures": {"GET": OVERSEERS},
    "feedback:feedback": {"GET": OVERSEERS},
    "feedback:figures": {"GET": OVERSEERS},
    "feedback:settings_set": {"POST": MANAGERS},
    "slas:sla": {"GET": DATA},
    "slas:levels": {"GET": DATA},
    "slas:breaches": {"GET": DATA},
    "slas:figures": {"GET": DATA},
    "slas:export": {"GET": DATA},
    "slas:target": {"POST": MANAGERS},
    "api-start": {"GET": SIGNED_IN},
    "api-docs": {"GET": EVERYBODY},
    "api-schema": {"GET": EVERYBODY},
    "api-projects": {"GET": SIGNED_IN, "POST": CREATORS},
    "api-notices": {"GET": SIGNED_IN},
    "api-notices-read": {"POST": SIGNED_IN},
    "api-notice-choices": {"GET": SIGNED_IN, "PATCH": SIGNED_IN},
    "api-notice-mail": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "api-notice": {"GET": OVERSEERS},
    "api-notice-snooze": {"POST": OVERSEERS},
    "api-notice-assign": {"POST": OVERSEERS},
    "api-notice-comments": {"POST": OVERSEERS},
    "api-notice-resolve": {"POST": OVERSEERS},
    "api-notice-policy": {"GET": OVERSEERS, "PUT": OVERSEERS},
    "api-encoders": {"GET": KEEPERS, "POST": KEEPERS},
    "api-encoder-check": {"POST": KEEPERS},
    "api-project": {"GET": MEMBERS, "PATCH": MANAGERS, "DELETE": MANAGERS},
    "api-deletions": {"GET": SIGNED_IN},
    "api-deletion": {"GET": frozenset({"engineer"})},  # who asked for it
    "api-project-schema": {"GET": MEMBERS, "POST": MANAGERS},
    "api-project-schema-label": {"PATCH": MANAGERS},
    "api-queue": {"GET": MEMBERS, "PATCH": MANAGERS},
    "api-members": {"GET": MANAGERS, "POST": MANAGERS},
    "api-member": {"DELETE": MANAGERS},
    "api-examples": {"GET": DATA, "POST": SENDERS},
    "api-uploads": {"POST": SENDERS},
    "api-ingestions": {"GET": DATA},
    "api-ingestion": {"GET": DATA},
    "api-dead-letters": {"GET": DATA},
    "api-dataset-versions": {"GET": DATA},
    "api-dataset-version-diff": {"GET": DATA},
    "api-dataset-version-changes": {"GET": DATA},
    "api-next": {"POST": LABELERS},
    "api-annotations": {"POST": LABELERS},
    "api-annotation": {"DELETE": LABELERS},
    "api-labels": {"GET": DATA},
    "api-export": {"GET": DATA},
    "api-mapping": {"GET": DATA, "PUT": SENDERS, "DELETE": SENDERS},
    "api-quality": {"GET": DATA},
    "api-quality-people": {"GET": DATA},
    "api-learning": {"GET": OVERSEERS},
    "api-auto-labeling": {"GET": OVERSEERS, "PATCH": MANAGERS},
    "api-auto-labels": {"GET": DATA},
    "api-auto-batches": {"GET": OVERSEERS},
    "api-auto-batch-withdraw": {"POST": MANAGERS},
    "api-runs": {"GET": OVERSEERS, "POST": ENGINEERS},
    "api-run": {"GET": OVERSEERS, "PATCH": ENGINEERS},
    "api-trigger": {"GET": OVERSEERS, "PATCH": ENGINEERS},
    "api-online": {"GET": OVERSEERS, "PATCH": ENGINEERS},
    "api-sweeps": {"GET": OVERSEERS, "POST": ENGINEERS},
    "api-sweep": {"GET": OVERSEERS},
    "api-sweep-cancel": {"POST": ENGINEERS},
    "api-run-cancel": {"POST": ENGINEERS},
    "api-run-priority": {"POST": ENGINEERS},
    "api-schedules": {"GET": OVERSEERS, "PUT": ENGINEERS},
    "api-policy": {"GET": OVERSEERS, "PATCH": ENGINEERS},
    "api-freshness": {"GET": OVERSEERS},
    "api-ledger": {"GET": OVERSEERS},
    "api-model": {"GET": OVERSEERS},
    "api-model-download": {"GET": ENGINEERS},
    "api-models": {"GET": OVERSEERS},
    "api-model-lineage": {"GET": OVERSEERS},
    "api-promote": {"POST": ENGINEERS},
    "api-release": {"POST": ENGINEERS},
    "api-report": {"GET": OVERSEERS},
    "api-model-card": {"GET": OVERSEERS},
    "api-gates-override": {"POST": MANAGERS},
    "api-gate-policy": {"GET": OVERSEERS, "PUT": OVERSEERS},
    "api-sensitive-columns": {"GET": OVERSEERS, "PUT": MANAGERS},
    "api-release-policy": {"GET": OVERSEERS, "PUT": ENGINEERS},
    "api-sources": {"GET": OVERSEERS, "POST": OVERSEERS},
    "api-source": {"GET": OVERSEERS, "PATCH": OVERSEERS, "DELETE": OVERSEERS},
    "api-source-events": {"POST": OVERSEERS},
    "api-source-letters": {"GET": OVERSEERS},
    "api-source-test": {"POST": OVERSEERS},
    "api-source-replay": {"POST": OVERSEERS},
    "api-webhooks": {"GET": OVERSEERS, "POST": OVERSEERS},
    "api-webhook": {"GET": OVERSEERS, "PATCH": OVERSEERS, "DELETE": OVERSEERS},
    "api-webhook-rotate": {"POST": OVERSEERS},
    "api-webhook-test": {"POST": OVERSEERS},
    "api-webhook-deliveries": {"GET": OVERSEERS},
    "api-webhook-repeat": {"POST": OVERSEERS},
    "api-event-types": {"GET": OVERSEERS},
    "api-feedback": {"GET": OVERSEERS, "POST": OVERSEERS},
    "api-feedback-letters": {"GET": OVERSEERS},
    "api-feedback-metrics": {"GET": OVERSEERS},
    "api-feedback-settings": {"GET": OVERSEERS, "PATCH": MANAGERS},
    "api-aliases": {"GET": OVERSEERS},
    "api-alias": {"GET": OVERSEERS, "PUT": ENGINEERS, "DELETE": ENGINEERS},
    "api-release-rules": {"GET": OVERSEERS, "PUT": MANAGERS},
    "api-release-requests": {"GET": OVERSEERS},
    "api-release-request-approve": {"POST": OVERSEERS},
    "api-release-request-decline": {"POST": OVERSEERS},
    "api-rollouts": {"GET": OVERSEERS},
    "api-rollout": {"GET": OVERSEERS},
    "api-rollout-replay": {"POST": OVERSEERS},
    "api-rollout-pause": {"POST": ENGINEERS},
    "api-rollout-resume": {"POST": ENGINEERS},
    "api-rollout-promote": {"POST": ENGINEERS},
    "api-rollout-abort": {"POST": ENGINEERS},
    "api-roll-back": {"POST": ENGINEERS},
    "api-predict": {"POST": ENGINEERS},
    "api-predictions": {"GET": OVERSEERS},
    "api-drift": {"POST": OVERSEERS},
    "api-alert-follow-up": {"GET": OVERSEERS},
    "api-alert-roll-back": {"POST": ENGINEERS},
    "api-alert-label": {"POST": SENDERS},
    "api-alert-train": {"POST": ENGINEERS},
    "api-alarm-policy": {"GET": OVERSEERS, "PUT": OVERSEERS},
    "api-monitors": {"GET": OVERSEERS},
    "api-monitor-policy": {"GET": OVERSEERS, "PUT": OVERSEERS},
    "api-monitor-readings": {"GET": OVERSEERS},
    "api-alerts": {"GET": OVERSEERS},
    "api-alert-resolve": {"POST": OVERSEERS},
    "api-laps": {"GET": DATA},
    "api-target": {"GET": DATA, "PUT": MANAGERS},
}
# Everywhere else an empty body asks the question of rights as well as a full one.
BODIES: dict[str, dict[str, Any]] = {
    "api-mapping": {"roles": {}},
    "api-projects": {"name": "New", "task_type": "text-classification", "labels": [{"name": "a"}]},
    "api-alert-resolve": {"note": "A holiday."},
    "api-alias": {"version": 1},
    "releases:alias_set": {"name": "ours", "version": 1},
    "releases:alias_remove": {"name": "ours"},
    "api-encoders": {"name": "ours", "url": "file:///none"},
    "monitoring:resolve": {"note": "A holiday."},
    "monitors:weigh": {"monitor": "volume", "way": "more"},
    "api-example-delete": {"reason": "Asked for."},
    "api-example-correct": {"client_id": "6f0c9f0e-3f43-4a92-8f5a-1d3c5a1f9a10", "label": "ham", "error_kind": "slip"},
}
# Routes without a project: a stranger is told that the account lacks the right, there is nothing to hide.
WITHOUT_PROJECT = {
    "setup:new",
    "api-projects",
    "features:encoders",
    "features:check",
    *(name for name in TABLE if name.startswith("people:")),
    "api-encoders",
    "api-encoder-check",
}
UNSEEN = {"api-deletion"}  # not there for whoever may not see it


@dataclass(frozen=True)
class Route:
    name: str
    arguments: tuple[str, ...]

    @property
    def is_api(self) -> bool:
        return self.name.startswith("api-") and self.name != "api-start"  # a page


def routes(patterns: list[Any] | None = None, namespace: str = "", around: tuple[str, ...] = ()) -> Iterator[Route]:
    """Every address but those of Django's own admin."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        arguments = (*around, *pattern.pattern.converters)
        if isinstance(pattern, URLPattern):
            name = pattern.name or ""
            yield Route("" if name == "home" else f"{namespace}{name}", arguments)
        elif isinstance(pattern, URLResolver) and pattern.namespace != "admin":
            inner = f"{pattern.namespace}:" if pattern.namespace else ""
            yield from routes(pattern.url_patterns, namespace + inner, arguments)


ROUTES = list(routes())


@dataclass
class Things:
    """A project with one of everything that an address can name."""

    project: Project
    ids: dict[str, Any]
    people: dict[str, User] = field(default_factory=dict)
    sessions: dict[str, str] = field(default_factory=dict)

    def address(self, route: Route, person: str = NOBODY) -> str:
        given = {name: self.ids[name] for name in route.arguments if name != "key"}
        if "key" in route.arguments:
            given["key"] = self.token_of(person)
        return "/" if route.name == "" else reverse(route.name, kwargs=given)

    def session_of(self, person: str) -> str:
        """Signed in once, used for every request."""
        if person not in self.sessions:
            client = Client()
            client.force_login(self.people[person])
            self.sessions[person] = client.cookies[settings.SESSION_COOKIE_NAME].value
        return self.sessions[person]

    def token_of(self, person: str) -> str:
        if person not in self.people:
            return "a" * 8
        return str(AuthToken.objects.create(user=self.people[person])[0].token_key)


def things(project: Project, lin: User, ada: User) -> Things:
    """Two models, the second one failed, so that neither promote nor roll back finds nothing to refuse."""
    rows.labeled(project)
    version = rows.model(project)
    model_promote(version=version, reason="", by=lin, at=NOON)
    example = Example.objects.filter(project=project).last()
    assert example is not None
    ExampleBlob.objects.create(example=example, content=b"a picture")
    alert = alert_raise(project=project, kind="drift", title="Drift", detail="It changed.", check=None, at=NOON)
    ingestion = ingestion_open(project=project, source="api", by=lin, at=NOON)
    ids = {
        "project_id": project.pk,
        "run_id": version.run_id,
        "version_id": version.pk,
        "rollout_id": version.rollouts.get().pk,
        "request_id": ReleaseRequest.objects.create(project=project, version=version, by=lin, at=timezone.now()).pk,
        "alert_id": alert.pk,
        "example_id": example.pk,
        "ingestion_id": ingestion.pk,
        "user_id": ada.pk,
        "label_id": project.labels.all()[0].pk,
        "client_id": uuid.uuid4(),
        "name": "ours",
        "number": rows.auto_labeled(project).number,
        "sweep_id": rows.swept(project).pk,
        "language": "es",
        "edition": "0" * 12,
        "person_id": ada.pk,
        "link_id": 1,
        "words": a_link(ada),
    }
    alias_set(project=project, name="ours", version=version, by=lin, at=NOON)
    gone = {"number": ids["number"], "id_digest": "0" * 32, "reason": "Asked for.", "at": NOON}
    ExampleTombstone.objects.create(project=project, **gone)
    going = {"name": "Gone", "reason": "Over.", "by": lin, "asked_at": NOON}
    ProjectDeletion.objects.get_or_create(number=ids["number"], defaults=going)
    webhook = webhook_add(
        project=project,
        name="Ops",
        url="https://hooks.example.org/fastloop",
        verbs=["alert.raised"],
        format="standard",
        console_url="",
        by=lin,
        at=NOON,
    )
    ids |= {"webhook_id": webhook.pk, "delivery_id": webhook_test(webhook=webhook, by=lin, at=NOON).pk, "what": "test"}
    source = source_add(
        project=project,
        name="Orders",
        kind="redis-stream",
        place={"stream": "orders"},
        events="examples",
        mapping={},
        by=lin,
        at=NOON,
        paused=True,
    )
    ids |= {"source_id": source.pk, "secret": "nobody-knows-it"}
    notices_collect(at=NOON)
    ids["notice_id"] = Notice.objects.get(project=project, subject=f"alert {alert.pk}").pk
    view = SavedView.objects.create(project=project, by=lin, name="Mine", at=NOON)
    ids["view_id"] = view.pk
    ids["reading_id"] = rows.read_window(project).pk
    return Things(project, ids)


def a_link(ada: User) -> str:
    """To a new password; a longer life than the day of the tests."""
    ada.is_superuser, made = True, timezone.now()
    words = reset_make(person=ada, by=ada, at=made)
    ada.is_superuser = False
    return words


@pytest.fixture
def world(  # everybody, one project, no Redis and no predictor
    project: Project,
    ada: User,
    rosa: User,
    mona: User,
    lin: User,
    alma: User,
    mallory: User,
    monkeypatch: pytest.MonkeyPatch,
) -> Things:
    monkeypatch.setattr(wiring, "jobs", rows.Sent([]))
    monkeypatch.setattr(settings, "PREDICTOR_URL", "http://127.0.0.1:1")
    made = things(project, lin, ada)
    made.people = {
        "annotator": ada,
        "reviewer": rosa,
        "manager": mona,
        "engineer": lin,
        "admin": alma,
        STRANGER: mallory,
    }
    return made


def ask(world: Things, route: Route, method: str, person: str) -> Any:
    """One request; what it wrote is rolled back, so that every person meets the same world."""
    client = Client(raise_request_exception=False)
    with transaction.atomic():
        if person != NOBODY:
            client.cookies[settings.SESSION_COOKIE_NAME] = world.session_of(person)
        form = BODIES.get(route.name, {})
        body = urlencode(form) if not route.is_api else "" if route.name == "api-uploads" else json.dumps(form)
        kind = "application/x-www-form-urlencoded" if not route.is_api else "application/json"
        if "upload" in route.name:
            kind = "multipart/form-data; boundary=x"
        found = client.generic(method, world.address(route, person), body, content_type=kind)
        transaction.set_rollback(True)
    return found


def wrong(route: Route, allowed: frozenset[str], person: str, address: str, answer: Any) -> str:
    """What is wrong with this answer to this person, in words; empty when it is right."""
    status = answer.status_code
    signing_in = status == 302 and answer["Location"].startswith(reverse("accounts:sign_in"))
    if status == 500:
        return "it broke"
    if route.name in BY_KEY:
        return "" if status == BY_KEY[route.name] else f"{status} instead of {BY_KEY[route.name]}"
    if person in allowed:
        sent_away = signing_in and route.name != "accounts:sign_out"
        return f"{status} although allowed" if status in (401, 403, 404, 405) or sent_away else ""
    if person == NOBODY and route.is_api:
        return "" if status == 401 else f"{status} instead of 401"
    if person == NOBODY:
        kept = signing_in and answer["Location"].endswith(f"?next={address}")
        return "" if kept else f"{status} {answer.get('Location', '')} instead of the way to sign in and back"
    hidden = person == STRANGER and route.name not in WITHOUT_PROJECT
    expected = 404 if hidden or route.name in UNSEEN else 403
    return "" if status == expected else f"{status} instead of {expected}"


def test_the_table_names_every_route_and_no_other() -> None:
    assert {r.name for r in ROUTES} == set(TABLE)
    assert len({r.name for r in ROUTES}) == len(ROUTES), "two routes share a name"


def is_open(route: Route) -> bool:
    """Whether its every method is for everybody; then two of them say as much as seven."""
    return all(allowed == EVERYBODY for allowed in TABLE.get(route.name, {"": ROLES}).values())


def faults_of(world: Things, route: Route) -> Iterator[str]:
    for method in METHODS:
        allowed = TABLE.get(route.name, {}).get(method)
        if allowed is None:
            answer = ask(world, route, method, NOBODY if is_open(route) else "admin")
            if answer.status_code != 405:
                yield f"{method} answers {answer.status_code} and is missing from the table"
            continue
        for person in (NOBODY, "annotator") if is_open(route) else sorted(EVERYBODY):
            answer = ask(world, route, method, person)
            fault = wrong(route, allowed, person, answer.wsgi_request.path, answer)
            if fault:
                yield f"{method} as {person}: {fault}"


PARTS = 12  # two workers of xdist share them; one test of all routes would keep the other waiting


@pytest.mark.parametrize("part", range(PARTS))
def test_everybody_may_do_what_the_table_says_and_nothing_else(world: Things, part: int) -> None:
    for person in world.people:
        world.session_of(person)
    routes_of_part = ROUTES[part::PARTS]
    assert routes_of_part
    assert [f"{route.name or 'home'} {fault}" for route in routes_of_part for fault in faults_of(world, route)] == []


OWN_ID = {
    *("run_id", "version_id", "rollout_id", "sweep_id", "alert_id", "reading_id"),
    *("example_id", "ingestion_id", "source_id", "webhook_id"),
}


def test_what_belongs_to_another_project_is_not_found_under_ones_own(
    world: Things, lin: User, ada: User, make_project: Callable[..., Project]
) -> None:
    other = things(make_project(), lin, ada)
    other.project.memberships.all().delete()
    mixed = Things(world.project, {**other.ids, "project_id": world.project.pk}, world.people)
    mixed.session_of("admin")
    asked = [(r, method) for r in ROUTES if OWN_ID & set(r.arguments) for method in TABLE[r.name]]
    found = {f"{method} {r.name}": ask(mixed, r, method, "admin").status_code for r, method in asked}
    assert len(found) > 15
    assert {name: status for name, status in found.items() if status != 404} == {}


def test_nobody_is_led_back_to_the_page_after_signing_in(world: Things) -> None:
    client, page = Client(), reverse("loop:overview", args=[world.project.pk])
    way = client.get(page)["Location"]
    assert way == f"/sign-in/?next={page}"
    answer = client.post(way, {"username": "ada", "password": "correct horse", "next": page})
    assert (answer.status_code, answer["Location"]) == (302, page)


def test_a_superuser_is_told_that_there_is_no_such_project(client: Client, alma: User) -> None:
    User.objects.filter(pk=alma.pk).update(is_superuser=True)
    client.force_login(alma)
    for name in ("loop:overview", "datasets:data", "api-project"):
        answer = client.get(reverse(name, args=[987_654]))
        assert (answer.status_code, "There is no such project" in answer.content.decode()) == (404, True)


def test_a_refusal_names_the_role_that_is_missing(world: Things, ada: User) -> None:
    client = Client()
    client.force_login(ada)
    page = client.get(reverse("training:runs", args=[world.project.pk])).content.decode()
    assert "To see runs and models you need the role manager or engineer or admin. Yours is annotator." in page
