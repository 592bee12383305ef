"""The gates by name, in the order in which a verdict lists them. A new one is a file beside this one and a line here."""

from apps.rules.gates.gain import GAIN
from apps.rules.gates.gate import Gate
from apps.rules.gates.holdout import HOLDOUT
from apps.rules.gates.loads import LOADS
from apps.rules.gates.log_loss import LOG_LOSS
from apps.rules.gates.schema import SCHEMA
from apps.rules.registry import Registry

GATES = Registry[Gate](group="fastloop.gates", noun="gate", kind=Gate, own=(LOADS, SCHEMA, HOLDOUT, GAIN, LOG_LOSS))
