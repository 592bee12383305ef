"""Whether texts or pictures are as those that the model learned from: vectors by kernel distance (MMD) or a domain classifier."""

from typing import Literal

import numpy as np
from pydantic import Field

from apps.rules.monitors.evidence import Floats, MonitorEvidence, MonitorNeed
from apps.rules.monitors.few import enough_rows
from apps.rules.monitors.monitor import Chance, DriftMonitor, FeatureMeasure, NothingToRead, RowsParameters
from apps.rules.sentences import sentence
from apps.rules.words import plain_number

MOST = 400  # vectors of each side; the kernel has the square of them
PERMUTATIONS = 100  # of the domain classifier
RIDGE = 0.1  # its penalty, a row


class EmbeddingDriftParameters(RowsParameters):
    method: Literal["mmd", "domain-classifier"] = Field(
        "mmd",
        title="Method",
        json_schema_extra={
            "words": {"mmd": "Maximum mean discrepancy", "domain-classifier": "A classifier of before and now"}
        },
    )


def _measure(of: MonitorEvidence, parameters: EmbeddingDriftParameters, chance: Chance) -> list[FeatureMeasure]:
    if of.vectors is None:
        raise NothingToRead(sentence("There are no vectors of what was asked; the log has to keep texts or pictures."))
    enough_rows(len(of.vectors.window), len(of.vectors.reference), parameters.least_rows)
    before, now = _some(of.vectors.reference, chance.rng), _some(of.vectors.window, chance.rng)
    by = of.vectors.encoder
    return [mmd(before, now, chance, by) if parameters.method == "mmd" else domain_classifier(before, now, chance, by)]


def _some(vectors: Floats, rng: np.random.Generator) -> Floats:
    """At most MOST of them, by chance; what is no number is left out."""
    finite = vectors[np.isfinite(vectors).all(axis=1)]
    return finite if len(finite) <= MOST else finite[np.sort(rng.choice(len(finite), MOST, replace=False))]


def mmd(before: Floats, now: Floats, chance: Chance, encoder: str = "") -> FeatureMeasure:
    """Gretton et al. 2012, biased, a Gaussian kernel as wide as the median distance within the reference."""
    from scipy.spatial.distance import cdist

    n, m = len(before), len(now)
    both = np.concatenate([before, now])
    apart = cdist(both, both, "sqeuclidean")
    inner = apart[:n, :n][np.triu_indices(n, 1)]
    width = float(np.median(inner)) if len(inner) and np.median(inner) > 0 else 1.0
    kernel = np.exp(-apart / width)
    value = _distance(np.concatenate([np.full(n, 1 / n), np.full(m, -1 / m)]), kernel)
    even = np.full(n, 1 / n)
    redrawn = chance.rng.multinomial(n, even, (chance.draws, 1)) / n
    windows = chance.rng.multinomial(m, even, (chance.draws, chance.windows)) / m
    by_chance = _distance(redrawn - windows, kernel[:n, :n])
    far = plain_number(float(value), 3)
    reason = (
        sentence(
            "What is asked lies {distance} from what it learned from, as “{encoder}” sees it",
            distance=far,
            encoder=encoder,
        )
        if encoder
        else sentence("What is asked lies {distance} from what it learned from, by its vectors", distance=far)
    )
    return FeatureMeasure("vectors", float(value), reason, by_chance=by_chance)


def _distance(weights: Floats, kernel: Floats) -> Floats:
    """(..., n) that sum to 0 -> (...)."""
    return np.asarray(np.sqrt(np.maximum((weights @ kernel * weights).sum(axis=-1), 0)))


def domain_classifier(before: Floats, now: Floats, chance: Chance, encoder: str = "") -> FeatureMeasure:
    """How well a ridge regression tells both sides apart: the area under its curve, each row said by a fit without it.

    Its chance is that of an area as large among permutations, with a normal tail beyond them. What a row is said to be without
    itself follows from one matrix for all permutations (the leave-one-out shortcut of linear smoothers).
    """
    from scipy.stats import norm

    x = np.concatenate([before, now])
    x = (x - x.mean(axis=0)) / np.where(x.std(axis=0) > 0, x.std(axis=0), 1)
    x = np.column_stack([x, np.ones(len(x))])
    hat = x @ np.linalg.solve(x.T @ x + RIDGE * len(x) * np.eye(x.shape[1]), x.T)
    own = np.diag(hat)[:, None]
    side = np.concatenate([-np.ones(len(before)), np.ones(len(now))])
    sides = np.stack([side, *(chance.rng.permutation(side) for _ in range(PERMUTATIONS))], axis=1)
    areas = _areas(sides, (hat @ sides - own * sides) / (1 - own))
    area, drawn = float(areas[0]), areas[1:]
    deviation = max(float(drawn.std(ddof=1)), 1e-6)
    p_value = max(float(norm.sf((area - drawn.mean()) / deviation)), float((drawn >= area).mean()))
    told = plain_number(area, 2)
    reason = (
        sentence(
            "A classifier of what “{encoder}” sees tells what is asked from what it learned from: area under the curve {area}",
            encoder=encoder,
            area=told,
        )
        if encoder
        else sentence(
            "A classifier tells what is asked from what it learned from: area under the curve {area}", area=told
        )
    )
    return FeatureMeasure("vectors", max(2 * area - 1, 0.0), reason, p_value=p_value)


def _areas(sides: Floats, scores: Floats) -> Floats:
    """Under the curves of each column, by ranks."""
    from scipy.stats import rankdata

    positive = sides > 0
    n, m = positive.sum(axis=0), (~positive).sum(axis=0)
    return np.asarray((np.where(positive, rankdata(scores, axis=0), 0).sum(axis=0) - n * (n + 1) / 2) / (n * m))


EMBEDDING_DRIFT = DriftMonitor(
    "embedding-drift",
    "Texts and pictures",
    _measure,
    parameters=EmbeddingDriftParameters,
    needs=frozenset({MonitorNeed.VECTORS}),
)
