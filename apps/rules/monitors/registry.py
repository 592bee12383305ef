"""The monitors by name, in the order in which a check lists them. A new one is a file beside this one and a line here."""

from apps.rules.monitors.class_mix import CLASS_MIX
from apps.rules.monitors.confidence import CONFIDENCE
from apps.rules.monitors.monitor import DriftMonitor
from apps.rules.registry import Registry

MONITORS = Registry[DriftMonitor](
    group="fastloop.monitors", noun="monitor", kind=DriftMonitor, own=(CLASS_MIX, CONFIDENCE)
)
