import numpy as np
import torch

from workers.training.fit.calibration import temperature
from workers.training.fit.validation import LEAST_VALIDATION, split
from workers.training.learners.choice import loss


def test_validation_has_every_class_in_proportion_and_no_class_is_lost_to_it():
    targets = np.repeat([0, 1, 2], [600, 399, 1])
    train, validation = split(targets, 0.1, seed=0)
    assert np.bincount(targets[validation], minlength=3).tolist() == [60, 40, 0]
    assert sorted([*train, *validation]) == list(range(1000))


def test_a_small_set_gives_nothing_to_validation():
    train, validation = split(np.arange(LEAST_VALIDATION * 10 - 1) % 2, 0.1, seed=0)
    assert (len(train), len(validation)) == (199, 0)


def test_labels_with_a_single_example_all_train():
    train, validation = split(np.arange(40), 0.5, seed=0)
    assert (len(train), len(validation)) == (40, 0)


def test_overconfident_logits_get_a_temperature_above_one():
    targets = torch.tensor([0] * 75 + [1] * 25)
    logits = torch.tensor([[4.0, 0.0]]).repeat(100, 1)
    # 75 % right wants a gap of log(3): 4 / log(3) = 3.64, on a grid of 6 %
    assert 3.4 < temperature(logits, targets, loss) < 3.9


def test_a_few_rows_without_a_mistake_do_not_ask_for_certainty():
    targets = torch.zeros(25, dtype=torch.long)
    divisor = temperature(torch.tensor([[2.0, 0.0]]).repeat(25, 1), targets, loss)
    confidence = (torch.tensor([2.0, 0.0]) / divisor).softmax(dim=0)[0]
    assert 0.97 < confidence < 0.99
