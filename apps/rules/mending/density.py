"""Covariate shift: how much likelier each old row is in the window than among old rows, by a classifier of the two sides.

The odds of a classifier that tells both sides apart are the ratio of their densities (Bickel et al. 2009). Odds of rows that it has
seen would be too sure, so each row is said by a fit without it.
"""

from typing import Any

import numpy as np

from apps.rules.monitors.evidence import Floats

LEAST_WEIGHT, MOST_WEIGHT = 0.2, 5.0  # nothing is forgotten whole, and no row speaks for more than five
MOST_SIDE = 4_000  # rows of each side that are compared
LEAST_SIDE = 20
FOLDS = 3
SURE = 3.0  # deviations of the area under the curve beyond chance
WIDE = 64  # columns from which on a linear classifier is taken: vectors


def density_weights(old: Floats, new: Floats, *, seed: int) -> Floats | None:
    """(n, d) and (m, d) -> (n,) weights with mean 1 before they were cut; None where no classifier tells the sides apart."""
    ratio = density_ratio(old, new, seed=seed)
    return None if ratio is None else capped(ratio)


def capped(weights: Floats) -> Floats:
    """Between the bounds, with mean 1 again as near as they allow."""
    found = np.clip(weights, LEAST_WEIGHT, MOST_WEIGHT)
    return np.asarray(np.clip(found / found.mean(), LEAST_WEIGHT, MOST_WEIGHT))


def density_ratio(old: Floats, new: Floats, *, seed: int) -> Floats | None:
    """(n,) new by old, not cut; None where the sides cannot be told apart, or one has too few rows."""
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    rng = np.random.default_rng(seed)
    shown, asked = _some(len(old), rng), _some(len(new), rng)
    if min(len(shown), len(asked)) < LEAST_SIDE or not old.shape[1]:
        return None
    x = np.concatenate([old[shown], new[asked]])
    side = np.concatenate([np.zeros(len(shown), int), np.ones(len(asked), int)])
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed % 2**32)
    found = cross_val_predict(_classifier(x.shape[1], seed), x, side, cv=folds, method="predict_proba")[:, 1]
    chance = np.sqrt((len(side) + 1) / (12 * len(shown) * len(asked)))  # of the area, where both sides are one
    if roc_auc_score(side, found) < 0.5 + SURE * chance:
        return None
    said = np.empty(len(old))
    said[shown] = found[: len(shown)]
    rest = np.setdiff1d(np.arange(len(old)), shown)
    if len(rest):
        said[rest] = _classifier(x.shape[1], seed).fit(x, side).predict_proba(old[rest])[:, 1]
    said = np.clip(said, 1e-6, 1 - 1e-6)
    return np.asarray(said / (1 - said) * len(shown) / len(asked))


def _some(n: int, rng: np.random.Generator) -> Any:
    return np.arange(n) if n <= MOST_SIDE else np.sort(rng.choice(n, MOST_SIDE, replace=False))


def _classifier(columns: int, seed: int) -> Any:
    from sklearn.ensemble import (
        GradientBoostingClassifier,  # the newer one’s threads wait for each other on so few rows
    )
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if columns > WIDE:
        return make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=300))
    return GradientBoostingClassifier(n_estimators=60, max_depth=3, subsample=0.5, random_state=seed % 2**32)


def effective(weights: Floats) -> float:
    """Of how many rows alike these are worth (Kish 1965)."""
    return float(weights.sum() ** 2 / np.maximum((weights**2).sum(), 1e-12))
