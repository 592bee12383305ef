import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from apps.rules.replay import choose


def test_a_rare_class_is_kept_whole_and_the_rest_share_evenly():
    targets = np.repeat([0, 1, 2], [1000, 500, 5])
    kept = np.bincount(targets[choose(targets, 105, seed=0)])
    assert kept.tolist() == [50, 50, 5]


def test_the_seed_decides_which_rows():
    targets = np.zeros(100, dtype=int)
    assert choose(targets, 10, 1).tolist() == choose(targets, 10, 1).tolist()
    assert choose(targets, 10, 1).tolist() != choose(targets, 10, 2).tolist()


def test_no_old_rows_and_no_places_are_no_error():
    assert choose([], 10, 0).tolist() == []
    assert choose([1, 2], 0, 0).tolist() == []


@given(st.lists(st.integers(0, 4)), st.integers(0, 40), st.integers(0, 99))
def test_the_buffer_is_full_without_repeats_and_no_class_has_two_more_than_another_could(targets, size, seed):
    chosen = choose(targets, size, seed)
    assert len(chosen) == len(set(chosen.tolist())) == min(size, len(targets))
    have, all_of = np.bincount(np.array(targets, int)[chosen], minlength=5), np.bincount(targets, minlength=5)
    unsatisfied = have[have < all_of]
    assert not len(unsatisfied) or have.max() <= unsatisfied.min() + 1
