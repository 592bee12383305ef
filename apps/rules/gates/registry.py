"""The gates by name, in the order in which a verdict lists them. A new one is a file beside this one and a line here."""

from apps.rules.gates.calibration import CALIBRATION
from apps.rules.gates.data_schema import DATA_SCHEMA
from apps.rules.gates.fairness import FAIRNESS
from apps.rules.gates.gain import GAIN
from apps.rules.gates.gate import Gate
from apps.rules.gates.holdout import HOLDOUT
from apps.rules.gates.infra import INFRA
from apps.rules.gates.loads import LOADS
from apps.rules.gates.log_loss import LOG_LOSS
from apps.rules.gates.metric_change import METRIC_CHANGE
from apps.rules.gates.metric_threshold import METRIC_THRESHOLD
from apps.rules.gates.schema import SCHEMA
from apps.rules.gates.slices import SLICES
from apps.rules.registry import Registry

STANDING = (LOADS, SCHEMA, HOLDOUT, GAIN, LOG_LOSS)
CHOSEN = (METRIC_THRESHOLD, METRIC_CHANGE, SLICES, FAIRNESS, CALIBRATION, DATA_SCHEMA, INFRA)
GATES = Registry[Gate](group="fastloop.gates", noun="gate", kind=Gate, own=(*STANDING, *CHOSEN))
