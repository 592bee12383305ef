"""The registry itself; what holds for each of them stands in tests/contracts."""

from dataclasses import dataclass

import pytest

from apps.rules.registry import PluginRefused, Registry


@dataclass(frozen=True)
class Tool:
    name: str
    title: str = "A tool"


@dataclass
class Loose:
    name: str
    title: str = "A loose one"


def tools(*own, kind=Tool):
    return Registry(group="fastloop.tools", noun="tool", kind=kind, own=own)


def test_it_is_a_mapping_in_the_order_of_registration():
    saw, axe = Tool("saw"), Tool("axe")
    assert dict(tools(saw, axe)) == {"saw": saw, "axe": axe}
    assert list(tools(saw, axe)) == ["saw", "axe"]
    assert tools(saw).get("axe") is None


@pytest.mark.parametrize(
    ("own", "fault"),
    [
        ((Tool("saw"), Tool("saw")), "there is a tool “saw” already, and a name is given once"),
        ((Tool("Saw"),), "the name 'Saw' has more than small letters"),
        ((Tool("saw", " "),), "“saw” has no title"),
        ((Tool,), "is no Tool"),
        ((Loose("saw"),), "is no Tool"),
    ],
)
def test_a_member_of_the_house_that_is_wrong_fails_where_it_is_registered(own, fault):
    with pytest.raises(PluginRefused, match=fault):
        tools(*own)


def test_what_could_change_under_its_users_is_refused():
    with pytest.raises(PluginRefused, match="is no frozen dataclass, so it could change under whoever uses it"):
        tools(Loose("saw"), kind=Loose)


def test_packages_are_asked_at_the_first_look_and_once(monkeypatch):
    asked = []
    monkeypatch.setattr("apps.rules.registry._offered", lambda group: asked.append(group) or [])
    registry = tools(Tool("saw"))
    assert asked == []
    assert "saw" in registry and list(registry) == ["saw"]
    assert asked == ["fastloop.tools"]
