import pytest

from apps.rules.consensus import LEAST_GOLD, GoldScores, in_force, sign_test

CLEAR = GoldScores(60, 48, 58, only_majority=1, only_dawid_skene=11)


@pytest.mark.parametrize(
    ("setting", "scores", "method", "words"),
    [
        (
            "majority",
            CLEAR,
            "majority",
            "Majority is in force, as set. On 60 gold examples majority is right 48 times, Dawid-Skene 58 times",
        ),
        ("dawid-skene", GoldScores(0, 0, 0), "dawid-skene", "as set. No gold example has an answer yet"),
        ("best", CLEAR, "dawid-skene", "chance alone would differ so much in 0.6 % of cases"),
        ("best", GoldScores(60, 50, 48, 4, 2), "majority", "a difference of 2 examples may be chance"),
        ("best", GoldScores(60, 50, 50, 1, 1), "majority", "no difference, and majority is the simpler one"),
        ("best", GoldScores(29, 20, 28, 0, 8), "majority", "too few to tell, 1 more can"),
        ("best", GoldScores(0, 0, 0), "majority", "No gold example has an answer yet"),
    ],
)
def test_the_method_in_force_is_said_with_its_counts(setting, scores, method, words):
    found = in_force(setting, scores)
    assert found.method == method and words in found.sentence and len(found.sentence) <= 400


def test_what_dawid_skene_cannot_do_is_said_and_majority_holds():
    found = in_force("dawid-skene", CLEAR, why_not="Dawid-Skene merges single labels only.")
    assert (found.method, found.sentence) == (
        "majority",
        "Majority is in force: Dawid-Skene merges single labels only.",
    )


def test_thirty_gold_examples_are_enough_to_choose():
    assert in_force("best", GoldScores(LEAST_GOLD, 20, 28, 0, 8)).method == "dawid-skene"


def test_the_sign_test_is_exact_and_symmetric():
    assert sign_test(1, 11) == sign_test(11, 1) == pytest.approx(0.006348, abs=1e-6)
