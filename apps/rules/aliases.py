"""Names that point at one model version: which a person may give, and which mean something already."""

import re

from apps.rules.sentences import sentence, term
from apps.rules.values.names import looks, name_of
from apps.rules.values.refusals import ValueRefused

MOST_ALIAS = 40  # characters
_FITS = re.compile(r"[\w-]+")  # as registries have it: an alias stands in addresses
_VERSION = re.compile(r"v?\d+", re.IGNORECASE)
_TAKEN = {
    "champion": sentence("“champion” is who answers; release a version to change it."),
    "candidate": sentence("“candidate” is the newest version that did not fail its gates; nobody sets it."),
    "shadow": sentence("“shadow” is who answers copies in a rollout; nobody sets it."),
    "latest": sentence("“latest” is the newest version in every registry; nobody sets it."),
}


def alias_of(given: str) -> str:
    """An alias as it is kept. Raises ValueRefused with what is wrong, or with what the word means already.

    >>> alias_of(" staging-eu ")
    'staging-eu'
    """
    name = name_of(given, term("The alias"), MOST_ALIAS)
    if taken := _TAKEN.get(looks(name)):
        raise ValueRefused(taken)
    if _VERSION.fullmatch(name):
        raise ValueRefused(sentence("“{name}” reads as the number of a version; an alias needs a word.", name=name))
    if not _FITS.fullmatch(name):
        raise ValueRefused(sentence("An alias has letters, digits, “-” and “_” only, since it stands in addresses."))
    return name


def same_alias(given: str, other: str) -> bool:
    """Whether nobody could tell them apart, or they differ in capitals only."""
    return looks(given) == looks(other)
