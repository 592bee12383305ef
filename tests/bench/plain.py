"""Does a plain baseline win? The product's full run against two seconds of scikit-learn, on the same rows.

Logistic regression (numbers standardised, categories one-hot; texts as TF-IDF of words) and HistGradientBoosting (tables), with
their own defaults, at 100, 1,000 and all labels, which several seeds draw from the train rows. A file needs label and split.
`timestamp`, or what --time names, gives the order of the rows; it is not learned from, nor are id, group and what --ignore names.

`worse` counts the cells (file, labels, measure, rival) in which the product is more than half a point of accuracy or .01 of AUC
below, on the mean of the seeds, surely: the 95 % interval of the difference, test rows drawn anew, lies below zero.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from django.core.management.base import CommandError
from numpy.typing import NDArray

from tests.bench._sets import SETS, _sentences

Say = Callable[[str], None]
SIZES = (100, 1000, 0)  # labels; 0 is all of them
SEEDS, DRAWS = 3, 1000
TOLERANCE = {"accuracy": 0.005, "auc": 0.01}
NOT_LEARNED = {"id", "label", "split", "group", "timestamp"}
LEFT_OUT = {
    "bank_marketing": {"t", "duration_leaky", "year_month"},
    "elec2": {"t"},
    "sms_spam": {"lf_exemplar", "lf_votes"},
}
TIMES = {"bank_marketing": "t"}
WORDS = 50_000  # TF-IDF's vocabulary at most


@dataclass(frozen=True, slots=True, eq=False)
class PlainFile:
    """Rows (dicts, or texts), classes (n,), moments (n,) or None, and which are train and test."""

    name: str
    rows: Sequence[Any]
    y: NDArray[np.int64]
    labels: tuple[str, ...]
    times: NDArray[np.float64] | None
    train: NDArray[np.int64]
    test: NDArray[np.int64]

    @property
    def table(self) -> bool:
        return isinstance(self.rows[0], dict)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", type=Path, help="Parquet files, or bare names of those beside the project")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--labels", type=int, action="append", help="only so many; 0 for all; may be given again")
    parser.add_argument("--time", default="", help="the column that gives the order of the rows")
    parser.add_argument("--ignore", action="append", default=[], help="a column that is not learned from")


def run(
    *, say: Say, files: list[Path], seeds: int, labels: list[int] | None, time: str, ignore: list[str]
) -> dict[str, Any]:
    if seeds < 1 or min(labels or [0]) < 0:
        raise CommandError("--seeds is at least 1, --labels 0 or more.")
    worse, table = 0, {}
    say(f"{'':<40}{'product':>18}{'regression':>18}{'boosting':>18}   accuracy, AUC")
    for path in files:
        file = read(path, time, ignore)
        for size in labels or SIZES:
            if size >= len(file.train):
                continue
            found = compared(file, size, seeds)
            worse += len(found["worse"])
            table[f"{file.name}, {size or 'all'}"] = found
            say(_line(f"{file.name}, {size or 'all'} labels", found))
    return {"worse": worse, "table": table}


def _line(title: str, found: dict[str, Any]) -> str:
    cells = [found["means"].get(name) for name in ("product", "regression", "boosting")]
    said = "".join(f"{'' if c is None else ' '.join(f'{v:.3f}' for v in c.values()):>18}" for c in cells)
    return f"{title:<40}{said}   {'worse: ' + ', '.join(found['worse']) if found['worse'] else ''}"


def read(path: Path, time: str, ignore: Sequence[str]) -> PlainFile:
    import pyarrow.parquet as pq

    path = path if path.is_file() else SETS / f"{path}.parquet"
    if not path.is_file():
        raise CommandError(f"There is no file {path.name}. Name a Parquet file with the columns label and split.")
    table = pq.read_table(path)
    if not {"label", "split"} <= set(table.column_names):
        raise CommandError(f"{path.name} needs the columns label and split.")
    told = time or TIMES.get(path.stem, "timestamp")
    out = NOT_LEARNED | LEFT_OUT.get(path.stem, set()) | {told, *ignore}
    columns = [name for name in table.column_names if name not in out]
    split, words = np.array(table["split"].to_pylist()), [str(x) for x in table["label"].to_pylist()]
    labels = tuple(sorted(set(words)))
    y = np.array([labels.index(word) for word in words], np.int64)
    rows = table["text"].to_pylist() if "text" in columns else table.select(columns).to_pylist()
    return PlainFile(
        path.stem,
        rows,
        y,
        labels,
        _moments(table, told),
        np.flatnonzero(split == "train"),
        np.flatnonzero(split == "test"),
    )


def _moments(table: Any, column: str) -> NDArray[np.float64] | None:
    if column not in table.column_names:
        return None
    found = table[column].to_pylist()
    if any(moment is None for moment in found):
        return None
    return np.array([m.timestamp() if hasattr(m, "timestamp") else float(m) for m in found])


def compared(file: PlainFile, size: int, seeds: int) -> dict[str, Any]:
    """Means over seeds by learner, and in what the product is worse."""
    said: dict[str, list[NDArray[np.float64]]] = {}
    for places in _drawn(file, size, seeds):
        for name, answer in LEARNERS.items():
            if name != "boosting" or file.table:
                said.setdefault(name, []).append(answer(file, places))
    truth = file.y[file.test]
    means = {name: _measures(truth, np.stack(each)) for name, each in said.items()}
    worse = [
        f"{measure} against {rival}"
        for rival in means
        if rival != "product"
        for measure, tolerance in TOLERANCE.items()
        if measure in means[rival]
        and means["product"][measure] < means[rival][measure] - tolerance
        and _surely(truth, said["product"], said[rival], measure)
    ]
    return {"means": means, "worse": worse, "seeds": len(said["product"])}


def _drawn(file: PlainFile, size: int, seeds: int) -> Iterator[NDArray[np.int64]]:
    if not size:
        yield file.train
        return
    for seed in range(seeds):
        drawn = np.sort(np.random.default_rng(seed).permutation(file.train)[:size])
        if len(np.unique(file.y[drawn])) > 1:
            yield drawn


def product(file: PlainFile, places: NDArray[np.int64]) -> NDArray[np.float64]:
    from tests.training.recipes import recipe_for
    from workers.training.fit.loop import fit
    from workers.training.models.bundle import predict
    from workers.training.models.words import TextRows

    kind = "tabular-classification" if file.table else "text-classification"
    if file.table:
        rows: Any = np.array(file.rows, object)
    else:
        rows = TextRows(_sentences(list(file.rows)), list(file.rows))
    mine, theirs = rows[places], rows[file.test]
    times = None if file.times is None else file.times[places].tolist()
    return predict(fit(mine, file.y[places], file.labels, recipe_for(kind), times=times).bundle, theirs).astype(float)


def regression(file: PlainFile, places: NDArray[np.int64]) -> NDArray[np.float64]:
    from sklearn.linear_model import LogisticRegression

    return _plain(file, places, LogisticRegression(max_iter=1000), boosted=False)


def boosting(file: PlainFile, places: NDArray[np.int64]) -> NDArray[np.float64]:
    from sklearn.ensemble import HistGradientBoostingClassifier

    return _plain(file, places, HistGradientBoostingClassifier(random_state=0), boosted=True)


LEARNERS = {"product": product, "regression": regression, "boosting": boosting}


def _plain(file: PlainFile, places: NDArray[np.int64], learner: Any, *, boosted: bool) -> NDArray[np.float64]:
    """Probabilities (n, classes) of the test rows; of a label without a train row 0."""
    from sklearn.pipeline import make_pipeline

    fitted = make_pipeline(_prepared(file, places, boosted), learner)
    fitted.fit(_cells(file, places), file.y[places])
    found = np.zeros((len(file.test), len(file.labels)))
    found[:, fitted.classes_] = fitted.predict_proba(_cells(file, file.test))
    return found


def _cells(file: PlainFile, places: NDArray[np.int64]) -> Any:
    if not file.table:
        return [file.rows[i] for i in places]
    return np.array([[row.get(name) for name in file.rows[0]] for row in (file.rows[i] for i in places)], object)


def _prepared(file: PlainFile, places: NDArray[np.int64], boosted: bool) -> Any:
    from sklearn.compose import make_column_transformer
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, StandardScaler

    if not file.table:
        return TfidfVectorizer(max_features=WORDS)
    cells = _cells(file, places)
    is_word = [any(isinstance(cell, str) for cell in column) for column in cells.T]
    words, numbers = np.flatnonzero(is_word), np.flatnonzero(~np.array(is_word))
    plain = FunctionTransformer(lambda x: x.astype(float))
    text = FunctionTransformer(lambda x: np.where(x == None, "", x).astype(str))  # noqa: E711 - of each cell
    if boosted:
        codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
        return make_column_transformer((make_pipeline(text, codes), words), (plain, numbers))
    scaled = make_pipeline(plain, SimpleImputer(keep_empty_features=True), StandardScaler())
    return make_column_transformer(
        (make_pipeline(text, OneHotEncoder(handle_unknown="ignore")), words), (scaled, numbers)
    )


def _measures(truth: NDArray[np.int64], said: NDArray[np.float64]) -> dict[str, float]:
    """`said` (seeds, n, classes); AUC of two labels alone."""
    from sklearn.metrics import roc_auc_score

    found = {"accuracy": round(float((said.argmax(axis=2) == truth).mean()), 4)}
    if said.shape[2] == 2:
        found["auc"] = round(float(np.mean([roc_auc_score(truth, each[:, 1]) for each in said])), 4)
    return found


def _surely(
    truth: NDArray[np.int64], ours: Sequence[NDArray[np.float64]], theirs: Sequence[NDArray[np.float64]], measure: str
) -> bool:
    """Whether the difference stays below zero in 97.5 % of draws of the test rows."""
    rng, mine, other = np.random.default_rng(0), np.stack(ours), np.stack(theirs)
    draws = DRAWS if measure == "accuracy" else DRAWS // 10  # an AUC sorts all rows
    gaps = []
    for _ in range(draws):
        drawn = rng.integers(0, len(truth), len(truth))
        gaps.append(
            _measures(truth[drawn], mine[:, drawn])[measure] - _measures(truth[drawn], other[:, drawn])[measure]
        )
    return float(np.percentile(gaps, 97.5)) < 0
