"""Kinds of answers: canonical forms, likeness between 0 and 1, and merges that stand in their own schema."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.rules.answers import ANSWER_KINDS, AnswerRefused

LABELS = ["a", "b", "c"]
TEXT = {"text": "Ada worked at Acme in Turin, said Grace."}
IMAGE = {"width": 40, "height": 30}
NAMES = st.sampled_from(LABELS)


@st.composite
def spans(draw):
    cuts = sorted(draw(st.sets(st.integers(0, len(TEXT["text"])), max_size=6)))
    found = [(s, e) for s, e in zip(cuts[::2], cuts[1::2], strict=False) if TEXT["text"][s:e].strip()]
    return {"spans": [{"start": s, "end": e, "label": draw(NAMES)} for s, e in found]}


@st.composite
def boxes(draw):
    def box():
        x, y = draw(st.integers(0, 30)), draw(st.integers(0, 20))
        return {
            "x": x,
            "y": y,
            "width": draw(st.integers(2, 40 - x)),
            "height": draw(st.integers(2, 30 - y)),
            "label": draw(NAMES),
        }

    return {"boxes": [box() for _ in range(draw(st.integers(0, 4)))]}


GIVEN = {
    "choice": (NAMES.map(lambda x: {"label": x}), {}),
    "choices": (st.sets(NAMES).map(lambda x: {"labels": list(x)}), {}),
    "spans": (spans(), TEXT),
    "boxes": (boxes(), IMAGE),
}


@pytest.mark.parametrize("name", ANSWER_KINDS)
@given(st.data())
def test_what_is_checked_is_taken_again_unchanged_and_is_like_itself(name, data):
    kind, (answers, fields) = ANSWER_KINDS[name], GIVEN[name]
    one, other = (kind.check(data.draw(answers), labels=LABELS, fields=fields) for _ in range(2))
    assert kind.check(one, labels=LABELS, fields=fields) == one
    assert kind.similarity(one, one) == pytest.approx(1)
    assert 0 <= kind.similarity(one, other) <= 1
    assert kind.similarity(one, other) == pytest.approx(kind.similarity(other, one))
    assert set(kind.labels_in(one)) <= set(LABELS) and kind.words(one)


@pytest.mark.parametrize("name", ANSWER_KINDS)
@given(st.data())
def test_a_merge_of_equal_votes_is_the_vote_and_any_merge_fits_the_example(name, data):
    kind, (answers, fields) = ANSWER_KINDS[name], GIVEN[name]
    votes = [kind.check(data.draw(answers), labels=LABELS, fields=fields) for _ in range(3)]
    kind.check(kind.merge(votes), labels=LABELS, fields=fields)
    if name != "boxes":  # boxes of one vote that overlap each other may join a group in another order
        assert kind.check(kind.merge([votes[0]] * 3), labels=LABELS, fields=fields) == votes[0]


@pytest.mark.parametrize("name", ANSWER_KINDS)
@pytest.mark.parametrize(
    "strange", [{}, {"label": 3}, {"labels": "a"}, {"spans": [None]}, {"boxes": [[]]}, {"labels": ["a", "a"]}]
)
def test_what_does_not_fit_is_refused_and_never_breaks(name, strange):
    with pytest.raises(AnswerRefused):
        ANSWER_KINDS[name].check(strange, labels=LABELS, fields={**TEXT, **IMAGE})
