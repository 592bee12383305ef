"""Boosted trees and a regression fitted beside a table's network, and the blend that rows which none of them saw like best.

Which rows judge: where rows have moments, those that came after the ones learned from, four times over, since rows drawn at random
cannot see drift; else folds where there are few, else a part drawn at random. The settings, the shares and the temperature come
from these rows; trees and regression are then fitted on all.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise, product
from math import sqrt
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workers.training.fit.calibration import temperature
from workers.training.fit.members import (
    PENALTIES,
    STAGES,
    USUAL_PENALTY,
    USUAL_STAGE,
    Floats,
    Ints,
    MemberSettings,
    TableMembers,
)
from workers.training.fit.validation import split
from workers.training.models.boosted import blended
from workers.training.models.networks import TabularNet

Shares = tuple[float, float, float]
Fit = Callable[[Ints], Tensor]  # a network trained on these places: its logits for all rows
LEAST = 40  # rows; fewer cannot tell one learner from another
FEW, FOLDS = 4_000, 4  # rows, up to which each of them judges once
JUDGES = 0.15  # of more rows
MANY = 10_000  # rows, from which on the last two origins have judges enough: each costs a training of the network
ORIGINS = (
    0.4,
    0.55,
    0.7,
    0.85,
)  # shares of rows in time order that are learned from; what comes next, up to the next one, judges
STEPS = 10  # of the shares
MEMBERS = ("the network", "boosted trees", "regression")


@dataclass(frozen=True)
class ChosenBlend:
    """What the judging rows liked best; `losses` are mean log-losses of the three and of the blend."""

    settings: MemberSettings
    shares: Shares
    divisor: float
    losses: tuple[float, ...]
    accuracy: float
    judges: int


def partitions(y: Ints, times: Floats | None, seed: int) -> list[tuple[Ints, Ints]]:
    """Places (train, judging)."""
    n = len(y)
    if times is not None:
        order = np.argsort(times, kind="stable")
        origins = ORIGINS[-2:] if n > MANY else ORIGINS
        cuts = [int(share * n) for share in (*origins, 1.0)]
        return [(np.sort(order[:cut]), np.sort(order[cut:end])) for cut, end in pairwise(cuts)]
    return at_random(y, seed)


def at_random(y: Ints, seed: int) -> list[tuple[Ints, Ints]]:
    n = len(y)
    if n > FEW:
        train, judging = split(y, JUDGES, seed)
        return [(train, np.sort(judging))]
    dealt = np.random.default_rng(seed).permutation(n)
    dealt = dealt[np.argsort(y[dealt], kind="stable")]  # each label in all folds
    fold = np.empty(n, np.int64)
    fold[dealt] = np.arange(n) % FOLDS
    return [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(FOLDS)]


def chosen(
    members: TableMembers, network: Fit, parts: Sequence[tuple[Ints, Ints]], loss: Any, *, in_time: bool = False
) -> ChosenBlend | None:
    """None where a part of the rows has one label only. `network` trains on places and answers for all rows."""
    if any(len(np.unique(members.y[train])) < 2 for train, _ in parts):
        return None
    judging = np.concatenate([held for _, held in parts])
    y, counts = members.y[judging], members.weights[judging]
    if counts.sum() <= 0:
        return None
    counts = counts / counts.mean()
    tried = [members.tried(train, held) for train, held in parts]
    least = min(len(staged) for staged, _ in tried)
    staged = np.concatenate([each[:least] for each, _ in tried], axis=1)
    by_penalty = np.concatenate([each for _, each in tried], axis=1)
    own = np.concatenate([network(train)[torch.from_numpy(held)].softmax(dim=1).numpy() for train, held in parts])
    usual = min(STAGES.index(USUAL_STAGE), least - 1), PENALTIES.index(USUAL_PENALTY)
    stage, penalty = (_surely(of, y, counts, at) for of, at in zip((staged, by_penalty), usual, strict=True))
    found = torch.from_numpy(np.stack([own, staged[stage], by_penalty[penalty]])).float()
    shares = _shares(found, y, counts)
    logits = blended(found, torch.tensor(shares))
    stages = members.stages(len(np.unique(members.y)))
    losses = (
        *(float(_losses(each.numpy(), y, counts).mean()) for each in found),
        float(_losses(logits.exp().numpy(), y, counts).mean()),
    )
    accuracy = float((logits.argmax(dim=1).numpy() == y).mean())
    divisor = temperature(logits, torch.from_numpy(y), partial(loss, weights=torch.from_numpy(counts).float()))
    settings = MemberSettings(stages[min(stage, len(stages) - 1)], PENALTIES[penalty])
    return ChosenBlend(settings, shares, max(divisor, 1.0) if in_time else divisor, losses, accuracy, len(y))


def _surely(found: NDArray[Any], y: Ints, counts: Floats, usual: int) -> int:
    """The place of the setting of least loss, the usual one where none is surely better; `found` (settings, n, classes)."""
    losses = [_losses(each, y, counts) for each in found]
    best = min(range(len(losses)), key=lambda i: float(losses[i].mean()))
    return best if better(losses[best], losses[usual]) else usual


def better(ours: Floats, theirs: Floats) -> bool:
    """Whether the losses (n,) of the same rows are lower by more than two standard errors."""
    gain = theirs - ours
    error = float(gain.std()) / sqrt(len(gain))
    return float(gain.mean()) > 2 * error


def _shares(found: Tensor, y: Ints, counts: Floats) -> Shares:
    """Of least loss; the network, which goes furthest astray on what it has not seen, takes part where it surely helps."""
    simplex = _simplex()
    losses = [_losses(_mean(found, given), y, counts) for given in simplex]
    best = min(range(len(simplex)), key=lambda i: float(losses[i].mean()))
    without = min((i for i, given in enumerate(simplex) if not given[0]), key=lambda i: float(losses[i].mean()))
    return simplex[best] if better(losses[best], losses[without]) else simplex[without]


def _simplex() -> list[Shares]:
    """Whole learners first: of two equals the simpler one is taken."""
    steps = range(STEPS + 1)
    mixed = [(a / STEPS, b / STEPS, (STEPS - a - b) / STEPS) for a, b in product(steps, steps) if a + b <= STEPS]
    return sorted(mixed, key=lambda given: sum(share > 0 for share in given))


def _mean(found: Tensor, shares: Shares) -> NDArray[Any]:
    return np.asarray((torch.tensor(shares)[:, None, None] * found).sum(dim=0).numpy())


def _losses(probabilities: NDArray[Any], y: Ints, counts: Floats) -> Floats:
    """(n,): of each row its loss, as often as it counts."""
    found: Floats = -np.log(np.clip(probabilities[np.arange(len(y)), y], 1e-6, 1)).astype(np.float64) * counts
    return found


def words(found: ChosenBlend, latest: bool) -> str:
    """For the run's log."""
    said = ", ".join(f"{name} {loss:.3f}" for name, loss in zip(MEMBERS, found.losses[:3], strict=True))
    taken = " + ".join(f"{share:.0%} {name}" for name, share in zip(MEMBERS, found.shares, strict=True) if share)
    which = f"{found.judges:,} later rows" if latest else f"{found.judges:,} rows that none of them saw"
    return f"log-loss by {which}: {said}; taken is {taken}, {found.losses[3]:.3f}"


def put_beside(
    network: TabularNet,
    x: Tensor,
    y: Ints,
    *,
    seed: int,
    again: Fit,
    loss: Any,
    times: Floats | None,
    say: Callable[[str], None],
    weights: Floats | None = None,
) -> float | None:
    """Fit trees and regression beside a network that was trained on x (n, width), y (n,), and blend the three.

    Returns the divisor of the blend; None where there are too few rows, or labels, to tell them apart. `times` (n,) are moments
    of the rows, in any unit. `again` trains such a network on some of the rows.
    """
    if len(y) < LEAST:
        return None
    members, in_time = TableMembers(network, x, y, seed, weights), times is not None
    found = chosen(members, again, partitions(y, times, seed), loss, in_time=in_time)
    if found is None:
        return None
    say(words(found, in_time))
    if in_time:
        _say_random(members, found, say)
    network.beside = members.fitted(np.arange(len(y)), found.settings, found.shares)
    return found.divisor


def _say_random(members: TableMembers, found: ChosenBlend, say: Callable[[str], None]) -> None:
    """What rows drawn at random would have promised of the same trees and regression, without the network."""
    train, judging = split(members.y, JUDGES, members.seed)
    if len(judging) == 0 or len(np.unique(members.y[train])) < 2:
        return
    made = members.fitted(train, found.settings, found.shares)
    seen = members.x[judging]
    shares = torch.tensor([0.0, *found.shares[1:]]) if sum(found.shares[1:]) else torch.tensor([0.0, 0.5, 0.5])
    said = blended(made.parts(seen.new_zeros(len(seen), members.classes), seen), shares).argmax(dim=1).numpy()
    promised = float((said == members.y[judging]).mean())
    say(f"rows drawn at random would have promised an accuracy of {promised:.1%}, later rows say {found.accuracy:.1%}")


def beside_again(
    network: TabularNet,
    base: TabularNet,
    x: Tensor,
    y: Ints,
    *,
    seed: int,
    same_labels: bool,
    weights: Floats | None = None,
) -> bool:
    """Fit what stood beside the base anew on x (n, width), y (n,), with its settings and shares.

    False where that has one label only; then it stays as it was, where the labels are the same ones.
    """
    before = base.beside
    if before is None:
        return False
    if len(np.unique(y)) < 2:
        network.beside = before if same_labels else None
        return False
    stage = len(before.trees.feature) // len(before.trees.baseline)
    settings = MemberSettings(stage, float(before.regression.penalty))
    network.beside = TableMembers(network, x, y, seed, weights).fitted(
        np.arange(len(y)), settings, before.shares.tolist()
    )
    return True
