"""Label Studio's labeling configuration, as XML: the control that asks what a project asks, and a configuration for a project.

A *control* (`Choices`, `Labels`, `RectangleLabels`) names the *object* that it is about (`Text`, `Image`), and that one the key of
a task's `data` that it shows. Tags that ask nothing (`Header`, `Style`) may stand between.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element, ParseError, SubElement, indent, tostring

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from apps.rules.sentences import sentence
from apps.rules.values import ValueRefused

MOST_CONFIG = 200_000  # characters
OBJECTS = {"text": "Text", "image": "Image"}  # by the name of the payload
MANY = "multiple"


@dataclass(frozen=True, slots=True)
class ControlTag:
    """How one kind of answer is asked there: the control, its options, the `type` of its regions and the key of their values."""

    control: str
    option: str
    type: str
    many: bool = False


CONTROLS = {
    "choice": ControlTag("Choices", "Choice", "choices"),
    "choices": ControlTag("Choices", "Choice", "choices", many=True),
    "spans": ControlTag("Labels", "Label", "labels"),
    "boxes": ControlTag("RectangleLabels", "Label", "rectanglelabels"),
}


class StudioRefused(ValueRefused):
    """A labeling configuration that does not ask what the project asks; the message is the reason."""


@dataclass(frozen=True, slots=True)
class StudioControl:
    """One control of a configuration. `key` is where a task has what is shown; `stored` is, by the name of a label, what its
    results say: the alias where one is given."""

    name: str
    to_name: str
    key: str
    type: str
    stored: dict[str, str]


def control_of(config: str, *, payload: str, answer: str) -> StudioControl:
    """The one control that asks for this kind of answer about this kind of payload. Raises StudioRefused."""
    tag = CONTROLS.get(answer)
    if tag is None or payload not in OBJECTS:
        raise StudioRefused(sentence("Label Studio has no control for what this project asks."))
    root = _root(config)
    shown = {str(each.get("name")): each for each in root.iter(OBJECTS[payload])}
    found = [(each, shown[name]) for each in root.iter(tag.control) if (name := str(each.get("toName"))) in shown]
    if tag.control == "Choices":
        found = [pair for pair in found if (pair[0].get("choice") == MANY) == tag.many]
    if len(found) != 1:
        raise StudioRefused(_not_one(len(found), tag, payload))
    control, about = found[0]
    key = str(about.get("value") or "")
    if not key.startswith("$") or len(key) == 1 or not control.get("name"):
        raise StudioRefused(
            sentence(
                "The {tag} of the labeling configuration does not say which key of a task it shows.", tag=about.tag
            )
        )
    return StudioControl(
        str(control.get("name")), str(about.get("name")), key[1:], tag.type, dict(_options(control, tag.option))
    )


def _root(config: str) -> Element:
    if len(config) > MOST_CONFIG:
        raise StudioRefused(
            sentence("The labeling configuration is longer than {most:,} characters.", most=MOST_CONFIG)
        )
    try:
        root: Element = fromstring(config)
    except (ParseError, DefusedXmlException, ValueError):
        raise StudioRefused(sentence("The labeling configuration is no XML that can be read.")) from None
    return root


def _not_one(count: int, tag: ControlTag, payload: str) -> str:
    many = ' choice="multiple"' if tag.many else ""
    wanted = f"<{tag.control}{many}>"
    if count:
        return sentence(
            "The labeling configuration has {n} controls {wanted}; a project asks for one.", n=count, wanted=wanted
        )
    return sentence(
        "The labeling configuration has no control {wanted} about <{shown}>, which is what this project asks for.",
        wanted=wanted,
        shown=OBJECTS[payload],
    )


def _options(control: Element, option: str) -> Iterator[tuple[str, str]]:
    for each in control.iter(option):
        value = str(each.get("value") or "")
        if value:
            yield value, str(each.get("alias") or value)


def config_of(*, payload: str, answer: str, labels: Sequence[tuple[str, str]]) -> str:
    """A configuration that asks what the project asks. `labels` are (name, key). Raises StudioRefused."""
    tag = CONTROLS.get(answer)
    if tag is None or payload not in OBJECTS:
        raise StudioRefused(sentence("Label Studio has no control for what this project asks."))
    root = Element("View")
    SubElement(root, OBJECTS[payload], {"name": payload, "value": f"${payload}"})
    about = {"name": _called(answer), "toName": payload}
    if tag.control == "Choices":
        about["choice"] = MANY if tag.many else "single"
    control = SubElement(root, tag.control, about)
    for name, key in labels:
        SubElement(control, tag.option, {"value": name, **({"hotkey": key} if key else {})})
    indent(root)
    return tostring(root, encoding="unicode")


def _called(answer: str) -> str:
    """As our own exports call the control (apps/transfer/formats/label_studio/regions.py)."""
    return {"choice": "label", "choices": "labels"}.get(answer, answer)
