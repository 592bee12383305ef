"""When memory ends: the batch is computed in smaller parts, and what is learned stays the same."""

from dataclasses import replace

import pytest
import torch

from tests.training.recipes import recipe_for
from tests.training.samples import clouds
from workers.training.fit.loop import fit
from workers.training.fit.memory import out_of_memory
from workers.training.models.networks import TextHead
from workers.training.refusals import MemoryTooSmall

LABELS = ("a", "b", "c")
STILL = recipe_for(  # without dropout two ways to cut a batch differ by rounding alone
    "text-classification", hidden=16, epochs=3, least_steps=0, batch_size=32, dropout=0.0, report_every_s=0.0
)
FITS = 10  # rows at a time in the tests' small memory
FAULTS = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    RuntimeError("[enforce fail at alloc_cpu.cpp:119] DefaultCPUAllocator: can't allocate memory"),
    MemoryError(),
]


@pytest.fixture
def small_memory(monkeypatch):
    """A device in which no more than so many rows fit while gradients are computed."""
    plain = TextHead.forward

    def limit(rows, fault=FAULTS[0]):
        def forward(self, x):
            if torch.is_grad_enabled() and len(x) > rows:
                raise fault
            return plain(self, x)

        monkeypatch.setattr(TextHead, "forward", forward)

    return limit


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
def test_out_of_memory_halves_the_batch_and_learns_the_same(small_memory, fault):
    rows, targets = clouds(200)
    whole = fit(rows, targets, LABELS, STILL).bundle.module.state_dict()
    small_memory(FITS, fault)
    said: list[str] = []
    found = fit(rows, targets, LABELS, STILL, on_notice=said.append)
    assert said == [
        "out of memory at step 0: 32 examples at a time are too many, going on with 16; 2 parts make a batch of 32 as before",
        "out of memory at step 0: 16 examples at a time are too many, going on with 8; 4 parts make a batch of 32 as before",
    ]
    for name, value in found.bundle.module.state_dict().items():
        assert value == pytest.approx(whole[name], abs=2e-4), name


def test_memory_that_ends_in_the_middle_costs_no_step(small_memory):
    rows, targets = clouds(200)
    reports = []

    def shrink(report):
        reports.append(report)
        if report.step == 5:
            small_memory(FITS)

    found = fit(rows, targets, LABELS, STILL, on_report=shrink)
    assert [report.step for report in reports[:-1]] == list(range(1, found.steps + 1))


def test_a_resumed_run_goes_on_with_the_parts_that_fitted(small_memory):
    rows, targets = clouds(200)
    small_memory(FITS)
    saved: list[bytes] = []
    recipe = replace(STILL, checkpoint_every_s=0.0)
    whole = fit(rows, targets, LABELS, recipe, on_checkpoint=saved.append)
    said: list[str] = []
    resumed = fit(rows, targets, LABELS, recipe, resume=saved[3], on_notice=said.append)
    assert said == []
    weights = resumed.bundle.module.state_dict()
    assert all(value.equal(weights[name]) for name, value in whole.bundle.module.state_dict().items())


def test_where_not_one_example_fits_the_run_is_refused_in_a_sentence(small_memory):
    rows, targets = clouds(200)
    small_memory(0)
    with pytest.raises(MemoryTooSmall, match="Not even one example at a time fits into the memory"):
        fit(rows, targets, LABELS, STILL)


def test_rows_that_do_not_fit_at_all_are_refused_in_a_sentence(monkeypatch):
    def full(*args, **more):
        raise FAULTS[0]

    monkeypatch.setattr("workers.training.fit.loop.FitState", full)
    rows, targets = clouds(50)
    with pytest.raises(MemoryTooSmall, match="do not fit into the memory: CUDA out of memory"):
        fit(rows, targets, LABELS, STILL)


def test_a_bug_is_not_taken_for_memory(monkeypatch):
    def broken(self, x):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    monkeypatch.setattr(TextHead, "forward", broken)
    rows, targets = clouds(50)
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        fit(rows, targets, LABELS, STILL)
    assert not out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))


@pytest.mark.parametrize("accumulate", [2, 5, 32])
def test_gradients_in_parts_learn_what_one_batch_learns(accumulate):
    rows, targets = clouds(200)
    whole = fit(rows, targets, LABELS, STILL).bundle.module.state_dict()
    parts = fit(rows, targets, LABELS, replace(STILL, accumulate=accumulate)).bundle.module.state_dict()
    for name, value in parts.items():
        assert value == pytest.approx(whole[name], abs=2e-4), name
    assert any(not value.equal(whole[name]) for name, value in parts.items())  # it did take another way
