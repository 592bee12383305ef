"""Which answers a sampled log keeps: by their ids alone, nested, and evenly where that is wanted."""

import numpy as np
import pytest

from apps.rules.log_sample import LogShares, even, evenly, stays

IDS = [f"q{n}" for n in range(20_000)]


@pytest.mark.parametrize("share", [0.0001, 0.03, 0.5, 0.9999])
def test_about_as_many_stay_as_the_share_says_and_more_of_a_larger_one_are_all_of_these(share):
    kept = {name for name in IDS if stays(name, share)}
    assert abs(len(kept) / len(IDS) - share) < 4 * (share * (1 - share) / len(IDS)) ** 0.5 + 1e-4
    assert kept <= {name for name in IDS if stays(name, min(2 * share, 1.0))}


def test_a_request_stays_as_its_rarest_label_wants():
    shares = LogShares(0.2, {"fraud": 1.0, "spam": 0.01})
    assert [shares.of(each) for each in (["fine"], ["spam"], ["spam", "fine"], ["fine", "fraud"])] == [
        0.2,
        0.01,
        0.2,
        1.0,
    ]
    assert shares.least == 0.01 and LogShares(0.2).least == 0.2


def test_rows_of_several_shares_are_thinned_to_the_mix_that_was_answered():
    """One answer in ten is fraud, of which all are kept, of the others a tenth: half of the rows; evenly one in ten again."""
    labels = np.random.default_rng(0).choice(["fraud", "fine"], len(IDS), p=[0.1, 0.9])
    shares = LogShares(0.1, {"fraud": 1.0})
    kept = [(name, label, shares.of([label])) for name, label in zip(IDS, labels, strict=True)]
    kept = [row for row in kept if stays(row[0], row[2])]
    assert 0.47 < np.mean([label == "fraud" for _, label, _ in kept]) < 0.58
    thinned = evenly(kept, [row[0] for row in kept], [row[2] for row in kept])
    assert len(thinned) == sum(stays(name, 0.1) for name in IDS)
    assert 0.08 < np.mean([label == "fraud" for _, label, _ in thinned]) < 0.12


def test_where_all_are_of_one_share_all_stay():
    assert even(IDS[:50], [0.1] * 50) == [True] * 50 and even([], []) == []
