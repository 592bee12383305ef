"""When the model takes over from typical examples."""

import pytest

from apps.rules.acquisition.phase import PhaseEvidence, evidence_of, phase_of


def test_the_start_chooses_while_only_one_class_has_a_label():
    phase = phase_of(PhaseEvidence((12, 0, 0), right=20, majority=1, checked=20))
    assert phase.chooser == "start"
    assert "two labels" in phase.sentence


def test_the_model_chooses_once_it_foretells_answers_better_than_their_most_common_label():
    phase = phase_of(PhaseEvidence((6, 5, 4), right=9, majority=8, checked=20))
    assert phase.chooser == "model"
    assert phase.sentence == "The model chooses: it foretold 45 % of new answers, the most common label only 40 %."


def test_a_model_that_is_as_good_as_the_most_common_label_does_not_choose_yet():
    phase = phase_of(PhaseEvidence((6, 5, 4), right=8, majority=8, checked=20))
    assert phase.chooser == "start"
    assert "40 %" in phase.sentence


def test_a_few_lucky_answers_are_no_measurement():
    assert phase_of(PhaseEvidence((3, 3), right=9, majority=5, checked=9)).chooser == "start"
    assert phase_of(PhaseEvidence((3, 3), right=9, majority=5, checked=10)).chooser == "model"


def test_ten_labels_a_class_on_average_are_enough_whatever_the_model_is_right_on():
    assert phase_of(PhaseEvidence((18, 2), right=8, majority=9, checked=10)).chooser == "model"
    assert phase_of(PhaseEvidence((17, 2), right=8, majority=9, checked=10)).chooser == "start"


def test_a_model_that_chose_keeps_choosing_though_it_is_wrong_on_what_it_doubts():
    assert phase_of(PhaseEvidence((6, 5, 4), right=0, majority=9, checked=20, model_chose=True)).chooser == "model"


@pytest.mark.parametrize("counts", [(), (0,), (0, 0)])
def test_no_label_at_all_is_no_error(counts):
    assert phase_of(PhaseEvidence(counts)).chooser == "start"


def test_evidence_counts_what_the_model_and_the_most_common_label_got_right():
    assert evidence_of([0, 1, 2, 2], [0, 1, 1, 1], [1, 3, 0]) == PhaseEvidence(
        (1, 3, 0), right=2, majority=3, checked=4
    )
    assert evidence_of([], [], [0, 0]) == PhaseEvidence((0, 0))
