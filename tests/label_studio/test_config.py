"""Labeling configurations as Label Studio 1.23 writes them: the control that asks what the project asks, or a sentence."""

from xml.etree import ElementTree

import pytest

from apps.rules.studio import StudioRefused, config_of, control_of

TEXT = """<View><Header value="Mood"/><Text name="text" value="$text"/>
  <Choices name="mood" toName="text" choice="single" showInline="true">
    <Choice value="Positive" hotkey="1"/><Choice value="Negative" alias="neg"/></Choices></View>"""
TAGS = """<View><Choices name="tags" toName="t" choice="multiple"><Choice value="A"/><Choice value="B"/></Choices>
  <Text name="t" value="$body"/></View>"""
PICTURE = """<View><Image name="img" value="$image"/>
  <Choices name="cls" toName="img" choice="single-radio"><Choice value="cat"/></Choices></View>"""
SPANS = """<View><Labels name="ner" toName="text"><Label value="PER"/><Label value="ORG"/></Labels>
  <Text name="text" value="$text"/></View>"""
BOMB = """<!DOCTYPE v [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><View>&b;</View>"""
OUTSIDE = """<!DOCTYPE v [<!ENTITY a SYSTEM "file:///etc/passwd">]><View>&a;</View>"""


@pytest.mark.parametrize(
    ("config", "payload", "answer", "expected"),
    [
        (TEXT, "text", "choice", ("mood", "text", "text", "choices", {"Positive": "Positive", "Negative": "neg"})),
        (TAGS, "text", "choices", ("tags", "t", "body", "choices", {"A": "A", "B": "B"})),
        (PICTURE, "image", "choice", ("cls", "img", "image", "choices", {"cat": "cat"})),
        (SPANS, "text", "spans", ("ner", "text", "text", "labels", {"PER": "PER", "ORG": "ORG"})),
    ],
)
def test_the_control_that_asks_what_the_project_asks_is_found(config, payload, answer, expected) -> None:
    found = control_of(config, payload=payload, answer=answer)
    assert (found.name, found.to_name, found.key, found.type, found.stored) == expected


@pytest.mark.parametrize(
    ("config", "payload", "answer", "words"),
    [
        ("", "text", "choice", "is no XML that can be read"),
        ("<View>", "text", "choice", "is no XML that can be read"),
        (BOMB, "text", "choice", "is no XML that can be read"),
        (OUTSIDE, "text", "choice", "is no XML that can be read"),
        ("<View>" + " " * 200_000, "text", "choice", "is longer than 200,000 characters"),
        (TAGS, "text", "choice", "has no control <Choices> about <Text>"),
        (TEXT, "text", "choices", 'has no control <Choices choice="multiple"> about <Text>'),
        (PICTURE, "text", "choice", "has no control <Choices> about <Text>"),
        (TEXT.replace("</View>", TEXT[6:]), "text", "choice", "has 2 controls <Choices>"),
        (TEXT.replace("$text", "Some words"), "text", "choice", "does not say which key"),
        (TEXT.replace("$text", "$"), "text", "choice", "does not say which key"),
        (TEXT, "tabular", "choice", "has no control for what this project asks"),
        (TEXT, "pair", "choice", "has no control for what this project asks"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(config, payload, answer, words) -> None:
    with pytest.raises(StudioRefused, match=words.replace("$", r"\$")):
        control_of(config, payload=payload, answer=answer)


@pytest.mark.parametrize("payload", ["text", "image"])
@pytest.mark.parametrize("answer", ["choice", "choices", "spans", "boxes"])
def test_a_configuration_of_ours_asks_what_the_project_asks(payload, answer) -> None:
    labels = [('Q&A "x" <b>', "1"), ("Größe", "")]
    config = config_of(payload=payload, answer=answer, labels=labels)
    found = control_of(config, payload=payload, answer=answer)
    assert found.key == payload and found.stored == {name: name for name, _ in labels}
    options = [each for each in ElementTree.fromstring(config).iter() if each.get("value") == 'Q&A "x" <b>']
    assert [each.get("hotkey") for each in options] == ["1"]
