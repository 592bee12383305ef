"""The monitors by name, in the order in which a check lists them. A new one is a file beside this one and a line here."""

from apps.rules.monitors.class_mix import CLASS_MIX
from apps.rules.monitors.column_drift import COLUMN_DRIFT
from apps.rules.monitors.confidence import CONFIDENCE
from apps.rules.monitors.data_quality import DATA_QUALITY
from apps.rules.monitors.embedding_drift import EMBEDDING_DRIFT
from apps.rules.monitors.estimated_performance import ESTIMATED_PERFORMANCE
from apps.rules.monitors.fairness_drift import FAIRNESS_DRIFT
from apps.rules.monitors.margin import MARGIN
from apps.rules.monitors.monitor import DriftMonitor
from apps.rules.monitors.performance import PERFORMANCE
from apps.rules.monitors.volume import VOLUME
from apps.rules.registry import Registry

STANDING = (CLASS_MIX, CONFIDENCE, VOLUME, PERFORMANCE)
CHOSEN = (MARGIN, COLUMN_DRIFT, EMBEDDING_DRIFT, DATA_QUALITY, ESTIMATED_PERFORMANCE, FAIRNESS_DRIFT)
MONITORS = Registry[DriftMonitor](
    group="fastloop.monitors", noun="monitor", kind=DriftMonitor, own=(*STANDING, *CHOSEN)
)
