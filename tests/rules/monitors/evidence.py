"""Windows made up for tests of monitors: of the same world as the reference, or of another."""

import numpy as np

from apps.rules.monitors import (
    ColumnPair,
    GroupPair,
    GroupRows,
    LossStream,
    MonitorEvidence,
    Predictions,
    VectorPair,
    VolumeHistory,
)

LABELS = ("cat", "dog", "emu")
NONE = Predictions(np.zeros(0, np.int64), np.zeros(0))


def predictions(rng, n, mix=(0.5, 0.3, 0.2), sharpness=8.0):
    classes, sure = rng.choice(len(mix), size=n, p=mix), rng.beta(sharpness, 2.0, size=n)
    return Predictions(classes, sure, np.maximum(2 * sure - 1, 0))


def answers(rng, n=200, m=150, *, moved=False):
    """The reference with what was right of it, as confident as it says; moved, the window is less sure and of another mix."""
    reference = predictions(rng, n)
    right = (rng.random(n) < reference.confidences).astype(np.int64)
    window = predictions(rng, m, (0.2, 0.3, 0.5), 3.0) if moved else predictions(rng, m)
    return MonitorEvidence(reference, window, LABELS, right)


def table(rng, n, shift=0.0, cities=(0.6, 0.3, 0.1)):
    return {
        "age": tuple(np.round(rng.normal(40 + 10 * shift, 10, n), 1).tolist()),
        "city": tuple(rng.choice(["Rome", "Oslo", "Lima"], n, p=cities).tolist()),
        "visits": tuple(rng.poisson(2 + shift, n).tolist()),
        "always": (7,) * n,
    }


def columns(rng, n=200, m=150, *, moved=False):
    window = table(rng, m, 1.0, (0.2, 0.3, 0.5)) if moved else table(rng, m)
    return MonitorEvidence(NONE, NONE, LABELS, columns=ColumnPair(table(rng, n), window))


def vectors(rng, n=120, m=80, *, moved=False):
    return MonitorEvidence(
        NONE, NONE, LABELS, vectors=VectorPair(rng.normal(size=(n, 8)), rng.normal(0.5 if moved else 0, 1, (m, 8)))
    )


def volume(rng, *, moved=False, mean=200.0, spread=0.04, hours=3):
    """Overdispersed requests of eight windows a day in four weeks; moved, a tenth of them come."""
    shape = 1 / spread
    same = rng.poisson(rng.gamma(shape, mean / shape, size=(56, 4)))
    now = rng.poisson(rng.gamma(shape, mean / shape)) if not moved else int(mean / 10)
    spreads = tuple(tuple(row) for row in same[1:].tolist())
    return MonitorEvidence(NONE, NONE, volume=VolumeHistory(hours, int(now), tuple(same[0].tolist()), spreads))


def losses(rng, *, moved=False, n=2_000, fresh=500, rate=0.2):
    held = int(rng.binomial(1_000, rate))
    wrong = (rng.random(n) < rate).astype(np.int64)
    if moved:
        wrong[-fresh:] = rng.random(fresh) < rate + 0.15
    return MonitorEvidence(NONE, NONE, losses=LossStream(wrong, fresh, held, 1_000, 10_000))


def groups(rng, n=400, m=300, *, moved=False):
    def rows(size, apart):
        country = rng.choice(["A", "B", "C"], size)
        rate = np.where(country == "A", 0.4 + apart, 0.4)
        said = (rng.random(size) < rate).astype(np.int64)
        return GroupRows({"country": tuple(country.tolist())}, said, (rng.random(size) < 0.1).astype(np.int64))

    return MonitorEvidence(
        NONE, NONE, ("no", "yes"), groups=GroupPair(rows(n, 0.0), rows(m, 0.5 if moved else 0.0), rows(m, 0.0))
    )
