"""Keep Kubernetes' client and pandas out of the predictor: kserve imports both at once, 90 MB for as long as it lives.

The client is for whoever deploys models from Python, and pandas for models that take frames; ours do neither. Each gets a
placeholder while kserve is imported. Where a later kserve asks for more of them, its import fails at once and by name.
"""

import sys
from types import ModuleType


class Absent:
    """What kserve names in signatures and `isinstance`, and nobody is an instance of."""


PLACEHOLDERS = {"kserve.api.kserve_client": "KServeClient", "pandas": "DataFrame"}


def kserve_imported() -> None:
    """Call once, before anything else imports kserve."""
    placed = [name for name in PLACEHOLDERS if name not in sys.modules]
    for name in placed:
        placeholder = ModuleType(name, "A placeholder; see workers/predictor/without_kubernetes.py.")
        setattr(placeholder, PLACEHOLDERS[name], Absent)
        sys.modules[name] = placeholder
    try:
        import kserve  # noqa: F401
    finally:
        for name in placed:
            del sys.modules[name]
