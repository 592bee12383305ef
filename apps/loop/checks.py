"""What `manage.py check`, and so every start, says of installed packages that plug in: better now than at the first verdict."""

from typing import Any

from django.core.checks import CheckMessage, Error

from apps.integrations.registry import INTEGRATIONS
from apps.notices.kinds import NOTICE_KINDS
from apps.projects.task_types import TASK_TYPES
from apps.rules.acquisition import STRATEGIES
from apps.rules.answers import ANSWER_KINDS
from apps.rules.encoders import ENCODERS
from apps.rules.gates import GATES
from apps.rules.monitors import MONITORS
from apps.rules.registry import PluginRefused, Registry
from apps.rules.rollouts.metrics import METRICS
from apps.rules.webhooks import WEBHOOK_FORMATS
from apps.transfer.formats import FORMATS

REGISTRIES: list[Registry[Any]] = [  # apps above this one add theirs when they are ready
    STRATEGIES,
    GATES,
    MONITORS,
    METRICS,
    TASK_TYPES,
    ANSWER_KINDS,
    FORMATS,
    INTEGRATIONS,
    ENCODERS,
    WEBHOOK_FORMATS,
    NOTICE_KINDS,
]


def plug_ins() -> list[CheckMessage]:
    found = (_fault_of(registry) for registry in REGISTRIES)
    return [Error(fault, id="fastloop.E001") for fault in found if fault]


def _fault_of(registry: Registry[Any]) -> str:
    try:
        len(registry)
    except PluginRefused as refused:
        return str(refused)
    return ""
