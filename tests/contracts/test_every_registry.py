"""What holds for everything that plugs in, whatever it is."""

import re
from dataclasses import FrozenInstanceError, is_dataclass

import polib
import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.utils.translation import override

from apps.loop.checks import REGISTRIES
from apps.rules.registry import SLUG, PluginRefused, UnknownName
from fastloop_console.machine.env import ROOT
from tests.architecture.words import CATALOG
from tests.contracts.registries import EVERY, Plugged

every = pytest.mark.parametrize("plugged", EVERY, ids=lambda p: p.registry.group)
ANOTHER = """
    import dataclasses
    from {module} import {name}

    ADDED = dataclasses.replace({name}.own[0], name="added-by-acme")
    TAKEN = {name}.own[0]
    NAMELESS = dataclasses.replace({name}.own[0], name="Two Words")
    STRANGE = "no member of anything"
"""


def code_of(plugged: Plugged) -> str:
    module, name = plugged.constant.split(":")
    return ANOTHER.format(module=module, name=name)


def test_no_registry_is_forgotten_here():
    sources = [p.read_text() for p in (ROOT / "apps").rglob("*.py")]
    groups = {group for source in sources for group in re.findall(r'group="(fastloop\.\w+)"', source)}
    assert groups == {plugged.registry.group for plugged in EVERY}


def test_each_is_looked_at_when_the_console_starts():
    assert set(map(id, REGISTRIES)) == {id(plugged.registry) for plugged in EVERY}


def test_a_start_names_the_package_that_is_broken(install):
    gates = next(p for p in EVERY if p.constant.endswith(":GATES"))
    install(gates.registry, "acme-plugin", "import nothing_of_this_name", point="acme_plugin:ADDED")
    with pytest.raises(SystemCheckError, match="The gate that the package “acme-plugin”"):
        call_command("check")


@every
def test_its_members_are_frozen_and_named_once(plugged):
    names = [each.name for each in plugged.registry.own]
    assert len(names) == len(set(names)) and all(SLUG.fullmatch(name) for name in names)
    assert list(plugged.registry)[: len(names)] == names, "in the order in which they are registered"
    for each in plugged.registry.own:
        assert is_dataclass(each) and plugged.registry[each.name] is each
        with pytest.raises((FrozenInstanceError, TypeError)):  # with slots a frozen class raises a TypeError
            each.name = "another"


@every
def test_each_title_is_there_in_english_and_in_spanish(plugged):
    spanish = {e.msgid: e.msgstr for e in polib.pofile(str(CATALOG))}
    with override("en"):
        titles = {each.name: str(each.title) for each in plugged.registry.own}
    assert all(title.strip() for title in titles.values())
    assert [name for name, title in titles.items() if not spanish.get(title)] == []


@every
def test_each_member_has_a_file_of_its_own(plugged):
    if plugged.folder is None:
        return
    there = {p.stem for p in plugged.folder.iterdir()}
    assert [each.name for each in plugged.registry.own if each.name.replace("-", "_") not in there] == []


@every
def test_an_unknown_name_fails_loudly_with_the_known_ones(plugged):
    registry = plugged.registry
    with pytest.raises(UnknownName) as refused:
        registry["nope"]
    known = ", ".join(sorted(registry))
    assert str(refused.value) == f"No {registry.noun} is called “nope”. Known: {known}."
    assert isinstance(refused.value, ValueError) and registry.get("nope") is None and "nope" not in registry


@every
def test_an_installed_package_adds_one_after_the_houses_own(plugged, install):
    own = [each.name for each in plugged.registry.own]
    install(plugged.registry, "acme-plugin", code_of(plugged), point="acme_plugin:ADDED")
    assert list(plugged.registry) == [*own, "added-by-acme"]
    assert plugged.registry["added-by-acme"].name == "added-by-acme"


@every
@pytest.mark.parametrize(
    ("point", "fault"),
    [
        ("acme_plugin:MISSING", "acme_plugin:MISSING does not load: AttributeError: "),
        ("acme_plugin:TAKEN", "there is a {noun} “{first}” already, and a name is given once."),
        ("acme_plugin:NAMELESS", "the name 'Two Words' has more than small letters, digits and single dashes in it."),
        ("acme_plugin:STRANGE", "'no member of anything' is no {kind}."),
    ],
)
def test_what_a_package_offers_wrongly_is_refused_by_its_name(plugged, install, point, fault):
    registry = plugged.registry
    install(registry, "acme-plugin", code_of(plugged), point=point)
    words = fault.format(noun=registry.noun, kind=registry.kind.__name__, first=registry.own[0].name)
    beginning = f"The {registry.noun} that the package “acme-plugin” adds to {registry.group} is refused: {words}"
    for _ in range(2):  # and again at the next look: it is not half there
        with pytest.raises(PluginRefused) as refused:
            list(registry)
        assert str(refused.value).startswith(beginning)


@every
def test_two_packages_that_offer_one_name_are_told_apart(plugged, install):
    for package in ("acme-plugin", "bolt-plugin"):
        module = package.replace("-", "_")
        install(plugged.registry, package, code_of(plugged), point=f"{module}:ADDED")
    with pytest.raises(PluginRefused, match=r"package “bolt-plugin” .* “added-by-acme” already"):
        list(plugged.registry)
