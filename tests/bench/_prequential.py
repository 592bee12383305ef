"""Two streams in time order: a model that stays as it was, one that learns online, one that is warm started in windows.

Each model says what it thinks of a row before it may learn from it, and all of them are scored on the same later part.
Nothing was chosen on that part: rates and recipes are the product's own, which were chosen on the first parts.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tests.bench._sets import SETS

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Say = Callable[[str], None]
TASK = "tabular-classification"
# Of ../shared/data/README.md: accuracy, log-loss, AUC of scikit-learn with plain settings on the same later part.
README = {
    "elec2": {"SGD, online": (0.765, 0.505, 0.837), "SGD, frozen": (0.718, 1.183, 0.772)},
    "bank_marketing": {"SGD, online": (0.781, 0.461, 0.784), "logistic regression, frozen": (0.751, 0.569, 0.667)},
}
# What a call centre or a grid operator does not know beforehand, names of rows, and the split itself.
LEFT_OUT = {
    "elec2": {"id", "t", "timestamp", "label", "split"},
    "bank_marketing": {"id", "t", "duration_leaky", "label", "year_month", "group", "split"},
}
POSITIVE = {"elec2": "UP", "bank_marketing": "yes"}
BATCH = {"elec2": 100, "bank_marketing": 200}  # of the README's online figures
WINDOW = 500  # rows between two warm starts


@dataclass(frozen=True, slots=True, eq=False)
class Stream:
    """Rows in time order, their classes, and how many come first."""

    name: str
    rows: list[dict[str, Any]]
    y: Ints
    first: int


def measure(say: Say) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in README:
        if not (SETS / f"{name}.parquet").exists():
            say(f"{name}: skipped, the file is not there")
            continue
        found[name] = _measured(_stream(name), say)
    return {"prequential": found} if found else {}


def _stream(name: str) -> Stream:
    table = pq.read_table(SETS / f"{name}.parquet")
    rows = table.select([c for c in table.column_names if c not in LEFT_OUT[name]]).to_pylist()
    y = np.array([label == POSITIVE[name] for label in table["label"].to_pylist()], np.int64)
    return Stream(name, rows, y, table["split"].to_pylist().index("test"))


def _measured(stream: Stream, say: Say) -> dict[str, Any]:
    truth = stream.y[stream.first :]
    say(f"{stream.name}: {stream.first:,} rows first, scored on the {len(truth):,} after them")
    say(f"  {'':<34}accuracy  log-loss    AUC")
    table = {}
    batch = BATCH[stream.name]
    for name, said in (
        ("frozen", _frozen(stream)),
        ("online, each row", _online(stream)),
        (f"online, batches of {batch}", _online_in_batches(stream, batch)),
        (f"incremental, windows of {WINDOW}", _incremental(stream)),
    ):
        scores = _scores(truth, said)
        say(f"  {name:<34}{_row(scores)}")
        table[name.split(",")[0] + ("_batches" if "batches" in name else "")] = dict(
            zip(("accuracy", "log_loss", "auc"), scores, strict=True)
        )
    for name, scores in README[stream.name].items():
        say(f"  {'README: ' + name:<34}{_row(scores)}")
    return table


def _row(scores: tuple[float, float, float]) -> str:
    return "".join(f"{score:10.3f}" for score in scores)


def _scores(truth: Ints, said: Floats) -> tuple[float, float, float]:
    """Accuracy, log-loss and AUC of the probability of class 1."""
    from sklearn.metrics import roc_auc_score

    sure = np.clip(np.where(truth == 1, said, 1 - said), 1e-6, 1)
    accuracy = float(((said > 0.5) == truth).mean())
    return round(accuracy, 4), round(float(-np.log(sure).mean()), 4), round(float(roc_auc_score(truth, said)), 4)


def _frozen(stream: Stream) -> Floats:
    from tests.training.recipes import recipe_for
    from workers.training.fit.loop import fit
    from workers.training.models.bundle import predict

    rows, y = stream.rows[: stream.first], stream.y[: stream.first]
    model = fit(rows, y, ("no", "yes"), recipe_for(TASK)).bundle
    return predict(model, stream.rows[stream.first :])[:, 1].astype(np.float64)


def _online(stream: Stream) -> Floats:
    """The progressive predictions, each row's label known before the next row: what the product's curve shows."""
    from workers.training.online.learning import begin, learn

    learned = learn(begin(TASK, ("no", "yes")), stream.rows, stream.y)
    return learned.probabilities[stream.first :, 1].astype(np.float64)


def _online_in_batches(stream: Stream, size: int) -> Floats:
    """Labels that come a batch at a time: the model made of the state before answers the whole batch."""
    from workers.training.models.bundle import predict
    from workers.training.online.learning import begin, bundle_of, learn

    state = learn(begin(TASK, ("no", "yes")), stream.rows[: stream.first], stream.y[: stream.first]).state
    said = []
    for rows, y in _pieces(stream, size):
        said.append(predict(bundle_of(state), rows)[:, 1].astype(np.float64))
        state = learn(state, rows, y).state
    return np.concatenate(said)


def _incremental(stream: Stream) -> Floats:
    """A full run on the first part, then one incremental run a window: its rows, and a replay of those before it."""
    from apps.rules import replay
    from tests.training.recipes import recipe_for
    from workers.training.fit.loop import fit
    from workers.training.models.bundle import predict

    first = stream.first
    model = fit(stream.rows[:first], stream.y[:first], ("no", "yes"), recipe_for(TASK)).bundle
    said, seen = [], first
    for number, (rows, y) in enumerate(_pieces(stream, WINDOW)):
        said.append(predict(model, rows)[:, 1].astype(np.float64))
        recipe = recipe_for(TASK, "incremental", seed=number)
        old = replay.choose(stream.y[:seen], recipe.replay_size, recipe.seed)
        chosen = [*rows, *(stream.rows[i] for i in old)]
        model = fit(chosen, np.concatenate([y, stream.y[old]]), ("no", "yes"), recipe, base=model).bundle
        seen += len(rows)
    return np.concatenate(said)


def _pieces(stream: Stream, size: int) -> Iterator[tuple[list[dict[str, Any]], Ints]]:
    for start in range(stream.first, len(stream.y), size):
        yield stream.rows[start : start + size], stream.y[start : start + size]
