"""Everything that plugs in, and where its members have a file each."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apps.integrations.registry import INTEGRATIONS
from apps.notices.kinds import NOTICE_KINDS
from apps.projects.task_types import TASK_TYPES
from apps.rules.acquisition import STRATEGIES
from apps.rules.answers import ANSWER_KINDS
from apps.rules.encoders import ENCODERS
from apps.rules.gates import GATES
from apps.rules.monitors import MONITORS
from apps.rules.registry import Registry
from apps.rules.rollouts.metrics import METRICS
from apps.rules.webhooks import WEBHOOK_FORMATS
from apps.sources.events import EVENT_KINDS
from apps.sources.kinds import SOURCE_KINDS
from apps.transfer.formats import FORMATS
from fastloop_console.machine.env import ROOT


@dataclass(frozen=True)
class Plugged:
    """`folder` is None where members share their parts and stand in one file together."""

    registry: Registry[Any]
    constant: str  # where an installed package imports it from: module:name
    folder: Path | None = None


EVERY = (
    Plugged(STRATEGIES, "apps.rules.acquisition:STRATEGIES"),
    Plugged(GATES, "apps.rules.gates:GATES", ROOT / "apps/rules/gates"),
    Plugged(MONITORS, "apps.rules.monitors:MONITORS", ROOT / "apps/rules/monitors"),
    Plugged(METRICS, "apps.rules.rollouts.metrics:METRICS", ROOT / "apps/rules/rollouts/metrics"),
    Plugged(TASK_TYPES, "apps.projects.task_types:TASK_TYPES"),
    Plugged(ANSWER_KINDS, "apps.rules.answers:ANSWER_KINDS", ROOT / "apps/rules/answers"),
    Plugged(FORMATS, "apps.transfer.formats:FORMATS", ROOT / "apps/transfer/formats"),
    Plugged(ENCODERS, "apps.rules.encoders:ENCODERS"),
    Plugged(WEBHOOK_FORMATS, "apps.rules.webhooks:WEBHOOK_FORMATS", ROOT / "apps/rules/webhooks"),
    Plugged(SOURCE_KINDS, "apps.sources.kinds:SOURCE_KINDS", ROOT / "apps/sources/kinds"),
    Plugged(EVENT_KINDS, "apps.sources.events:EVENT_KINDS"),
    Plugged(NOTICE_KINDS, "apps.notices.kinds:NOTICE_KINDS"),
    Plugged(INTEGRATIONS, "apps.integrations.registry:INTEGRATIONS", ROOT / "apps/integrations"),
)
