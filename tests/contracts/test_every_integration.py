"""What every integration declares: a port that it serves wholly, and a setting that Django knows."""

import pytest
from django.conf import settings as configured
from django.core.exceptions import ImproperlyConfigured

from apps.integrations import wiring
from apps.integrations.integration import PROTOCOLS, Port
from apps.integrations.registry import INTEGRATIONS
from apps.rules.registry import UnknownName

every = pytest.mark.parametrize("integration", INTEGRATIONS.values(), ids=lambda i: i.name)


@every
def test_its_adapter_has_everything_that_its_port_asks_for(integration, tmp_path):
    adapter = integration.make(f"file://{tmp_path}")
    assert isinstance(adapter, PROTOCOLS[integration.port])


@every
def test_its_setting_is_one_of_the_consoles(integration):
    assert not integration.setting or hasattr(configured, integration.setting)


@pytest.mark.parametrize("port", Port)
def test_every_port_has_an_integration_behind_it(port):
    assert wiring.chosen(port).port == port


def test_what_has_no_address_is_off(settings):
    settings.MLFLOW_TRACKING_URI = ""
    assert wiring.tracking() is None
    settings.MLFLOW_TRACKING_URI = "http://127.0.0.1:5000"
    assert wiring.tracking().uri == "http://127.0.0.1:5000"


def test_an_installed_integration_serves_the_port_that_the_settings_give_it(install, settings):
    install(
        INTEGRATIONS,
        "acme-tracking",
        """
        from apps.integrations.integration import Integration, Port
        from apps.integrations.ports import Tracked

        class Acme:
            def mirror(self, run):
                return Tracked("acme-1", "")

        ACME = Integration("acme", "Acme", Port.TRACKING, lambda address: Acme())
        """,
        point="acme_tracking:ACME",
    )
    assert wiring.tracking() is None, "being installed alone changes nothing"
    settings.INTEGRATIONS = {"tracking": "acme"}
    assert wiring.tracking().mirror(None).tracking_run == "acme-1"


def test_settings_that_name_what_is_not_there_fail_in_words(settings):
    settings.INTEGRATIONS = {"tracking": "nope"}
    with pytest.raises(UnknownName, match="No integration is called “nope”"):
        wiring.tracking()
    settings.INTEGRATIONS = {"tracking": "delta"}
    with pytest.raises(ImproperlyConfigured, match="“delta” for tracking, but it serves tables"):
        wiring.tracking()
