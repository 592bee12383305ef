from apps.rules import words


def test_a_loss_has_a_true_minus_sign_and_a_rounded_zero_has_no_sign():
    assert words.points(-0.003) == "\u22120.3"
    assert words.points(0.006) == "+0.6"
    assert words.points(-0.0001) == "0.0"


def test_percent_has_a_space_and_one_label_is_singular():
    assert words.percent(0.315) == "32 %"
    assert words.count(1, "label") == "1 label"
    assert words.count(1200, "label") == "1,200 labels"
