"""What every kind of answer can do: check, compare, merge and read aloud; and the desk has its controls and its script."""

import pytest
from django.template.loader import get_template

from apps.rules.answers import ANSWER_KINDS, AnswerRefused
from fastloop_console.machine.env import ROOT
from tests.contracts.samples import ANSWERS, FIELDS, LABELS

every = pytest.mark.parametrize("kind", ANSWER_KINDS.values(), ids=lambda k: k.name)


def checked(kind, value):
    return kind.check(value, labels=LABELS, fields=FIELDS)


@every
def test_what_it_took_it_takes_again_unchanged(kind):
    for value in ANSWERS[kind.name]:
        assert checked(kind, checked(kind, value)) == checked(kind, value)


@every
def test_an_answer_is_wholly_like_itself_and_less_like_another(kind):
    one, other = (checked(kind, value) for value in ANSWERS[kind.name])
    assert kind.similarity(one, one) == kind.similarity(other, other) == 1
    assert kind.similarity(one, other) == kind.similarity(other, one) < 1


@every
def test_equal_votes_merge_into_that_vote_and_the_majority_wins(kind):
    one, other = (checked(kind, value) for value in ANSWERS[kind.name])
    assert kind.merge([one, one, one]) == one
    assert kind.merge([one, one, other]) == one


@every
def test_it_names_its_labels_and_reads_itself_aloud(kind):
    for value in ANSWERS[kind.name]:
        assert set(kind.labels_in(value)) <= set(LABELS) and kind.words(value).strip()


@every
@pytest.mark.parametrize("strange", [{}, {"label": "C"}, {"labels": "A"}, {"other": []}, {"spans": [3], "boxes": [3]}])
def test_what_is_no_such_answer_is_refused_in_a_sentence(kind, strange):
    with pytest.raises(AnswerRefused, match=r"^[A-Z].+\.$"):
        checked(kind, strange)


@every
def test_its_value_stands_under_its_key(kind):
    value = checked(kind, ANSWERS[kind.name][0])
    assert list(value) == [kind.key]
    assert isinstance(value[kind.key], list) is kind.structured


@every
def test_the_desk_has_its_controls_and_its_script(kind):
    assert get_template(f"labeling/_answer_{kind.name}.html")
    assert (ROOT / f"static/desk/{kind.name}.js").is_file()
    if kind.in_bulk:
        assert get_template(f"labeling/_bulk_{kind.name}.html")
