"""Which adapter stands behind which port: the first of the registry, or the one that INTEGRATIONS names. Tests swap them here."""

from functools import lru_cache
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from apps.integrations.integration import Integration, Port
from apps.integrations.ports import JobQueue, Predictor, Storage, Tables, Tracking
from apps.integrations.registry import INTEGRATIONS


def chosen(port: Port) -> Integration:
    """Raises UnknownName, or ImproperlyConfigured where the settings name an integration of another port."""
    name = settings.INTEGRATIONS.get(port)
    if name is None:
        return next(each for each in INTEGRATIONS.values() if each.port == port)
    if INTEGRATIONS[name].port != port:
        raise ImproperlyConfigured(f"INTEGRATIONS names “{name}” for {port}, but it serves {INTEGRATIONS[name].port}.")
    return INTEGRATIONS[name]


def _made(port: Port) -> Any:
    integration = chosen(port)
    return integration.make(_address(integration))


def _address(integration: Integration) -> str:
    return str(getattr(settings, integration.setting)) if integration.setting else ""


jobs: JobQueue = _made(Port.JOBS)
predictor: Predictor = _made(Port.PREDICTOR)
tables: Tables = _made(Port.TABLES)


def storage() -> Storage:
    made: Storage = _made(Port.STORAGE)
    return made


def tracking() -> Tracking | None:
    """None where no tracking server is set, which is the default."""
    integration = chosen(Port.TRACKING)
    address = _address(integration)
    return _tracking(integration, address) if address or not integration.setting else None


@lru_cache(maxsize=1)
def _tracking(integration: Integration, address: str) -> Tracking:
    made: Tracking = integration.make(address)
    return made
