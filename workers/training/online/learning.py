"""Online learning by Vowpal Wabbit: each row is predicted first and learned then, and the state goes on where it stopped.

Rows are written to a file of text lines that VW's own driver reads in this process: calls a row from Python would cost
five times what the learning costs. Nothing here knows Django or where a state is stored.
"""

import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workers.training.learners import learner_named
from workers.training.models.bundle import Bundle
from workers.training.models.hashing import stride
from workers.training.models.inputs import Rows
from workers.training.models.linear import CONSTANT, Linear
from workers.training.recipes import OnlineRecipe

MAGIC = b"fastloop-online-1\n"
DIGEST = 16
LEAST = 1e-6  # a probability; VW prints six digits, so that a zero means less than this


class StateUnreadable(ValueError):
    """The bytes are no state of this learner, or not all of them are there."""


@dataclass(frozen=True, slots=True, eq=False)
class OnlineState:
    """All that the next update depends on. `read` is for the caller: which labels it has learned of late, (n, 2)."""

    task_type: str  # as its learner is saved
    labels: tuple[str, ...]
    encoder: str = ""  # whose vectors the rows are
    reader: Linear | None = None  # known from the first rows on
    model: bytes = b""  # VW's own file
    examples: int = 0
    read: NDArray[np.int64] = field(default_factory=lambda: np.empty((0, 2), np.int64))


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """After one update. `probabilities` (n, classes) were said before each row was learned; NaN where it was unreadable."""

    state: OnlineState
    probabilities: NDArray[np.float32]
    examples: int
    loss_sum: float  # nats
    right: int
    seconds: float


def begin(task_type: str, labels: Sequence[str], encoder: str = "") -> OnlineState:
    """A learner that has seen nothing.

    Its classes are fixed. With another schema one begins again from the first label: minutes for millions of labels,
    and a class that came late has then learned from every example that is not of it.
    """
    learner_named(task_type)
    if len(labels) < 2:
        raise ValueError("A learner needs two labels to tell apart.")
    return OnlineState(task_type, tuple(labels), encoder)


def learn(state: OnlineState, rows: Rows, targets: Sequence[int] | NDArray[np.int64]) -> Learned:
    """Predict and learn rows (n) with targets (n,) in their order. All of one class is fine."""
    began = time.perf_counter()
    y = np.asarray(targets, np.int64)
    if len(rows) != len(y):
        raise ValueError(f"{len(y)} targets do not fit {len(rows)} rows.")
    if len(y) and not 0 <= y.min() <= y.max() < len(state.labels):
        raise ValueError(f"A target lies outside the {len(state.labels)} labels.")
    probabilities = np.full((len(y), len(state.labels)), np.nan, np.float32)
    if not len(y):
        return Learned(state, probabilities, 0, 0.0, 0, 0.0)
    reader = _reader(state, rows)
    lines = list(reader.lines(rows))
    readable = np.fromiter(map(bool, lines), bool, len(lines))
    model = state.model
    if readable.any():
        probabilities[readable], model = drive(options(state, reader), written(lines, y), model, len(state.labels))
    said = probabilities[readable]
    truth = y[readable]
    sure = np.clip(said[np.arange(len(truth)), truth], LEAST, 1.0)
    after = replace(state, reader=reader, model=model, examples=state.examples + len(truth))
    return Learned(
        after,
        probabilities,
        examples=len(truth),
        loss_sum=float(-np.log(sure).sum()),
        right=int((said.argmax(axis=1) == truth).sum()),
        seconds=time.perf_counter() - began,
    )


def options(state: OnlineState, reader: Linear) -> str:
    """VW's own settings. The constant is feature 0 of ours, so that no hash can fall on it."""
    classes = len(state.labels)
    bits = (reader.indices * stride(classes) - 1).bit_length()
    rate = recipe_of(state).learning_rate
    return f"--oaa {classes} --loss_function logistic --noconstant -b {max(bits, 8)} -l {rate:g} --save_resume"


def written(lines: Sequence[str], targets: NDArray[np.int64]) -> list[str]:
    """As VW reads it: label from 1, the constant, the features. Rows that could not be read are left out."""
    return [
        f"{target + 1} | {CONSTANT}:1{line}\n" for target, line in zip(targets.tolist(), lines, strict=True) if line
    ]


def settings_of_driver(place: Path) -> str:
    """Where in a folder the lines come from, and where the model and what was said go."""
    return f"--probabilities --quiet --no_stdin -d {place}/rows -f {place}/after -p {place}/said"


def drive(options: str, lines: Sequence[str], model: bytes, classes: int) -> tuple[NDArray[np.float32], bytes]:
    """VW's driver over these lines: what it predicted before each (n, classes), and its model file afterwards."""
    from vowpalwabbit import Workspace

    with tempfile.TemporaryDirectory(prefix="fastloop-online-") as folder:
        place = Path(folder)
        (place / "rows").write_text("".join(lines))
        before = ""
        if model:
            (place / "before").write_bytes(model)
            before = f" -i {place}/before"
        Workspace(f"{options} {settings_of_driver(place)}{before}").finish()
        return _said(place / "said", len(lines), classes), (place / "after").read_bytes()


def _said(path: Path, rows: int, classes: int) -> NDArray[np.float32]:
    """Lines of "1:0.3 2:0.7"."""
    numbers = np.fromstring(path.read_text().replace(":", " "), dtype=np.float32, sep=" ")
    return numbers.reshape(rows, 2 * classes)[:, 1::2].copy()


def bundle_of(state: OnlineState) -> Bundle:
    """The state as an ordinary model; it says of each row what VW itself would say of it."""
    if state.reader is None:
        raise ValueError("The learner has read no example yet.")
    recipe = recipe_of(state)
    classes = len(state.labels)
    preprocessor, network = state.reader.bundled(weights(state), classes, recipe)
    return Bundle(state.labels, recipe, preprocessor, network.eval())


def weights(state: OnlineState) -> dict[int, NDArray[np.float32]]:
    """(classes,) of each feature that has a weight at all."""
    if not state.model:
        return {}
    from vowpalwabbit import Workspace

    classes, width = len(state.labels), stride(len(state.labels))
    with tempfile.TemporaryDirectory(prefix="fastloop-online-") as folder:
        place = Path(folder)
        (place / "model").write_bytes(state.model)
        Workspace(f"-t -i {place}/model --quiet --no_stdin --readable_model {place}/weights").finish()
        text = (place / "weights").read_text()
    found: dict[int, NDArray[np.float32]] = {}
    for line in text[text.rindex("l2_state") :].splitlines()[1:]:
        place_of, weight = line.split()[0].split(":")
        index, column = divmod(int(place_of), width)
        if column < classes:
            found.setdefault(index, np.zeros(classes, np.float32))[column] = float(weight)
    return found


def pack(state: OnlineState) -> bytes:
    """One blob: a digest, JSON, VW's file, and what was read of late."""
    about = {
        "task_type": state.task_type,
        "labels": list(state.labels),
        "encoder": state.encoder,
        "reader": state.reader.to_json() if state.reader else None,
        "examples": state.examples,
        "model_bytes": len(state.model),
    }
    header = json.dumps(about).encode()
    body = b"".join([len(header).to_bytes(8, "little"), header, state.model, state.read.astype("<i8").tobytes()])
    return MAGIC + blake2b(body, digest_size=DIGEST).digest() + body


def unpack(blob: bytes) -> OnlineState:
    """Raises StateUnreadable, before a byte of it reaches VW."""
    start = len(MAGIC) + DIGEST
    digest, body = blob[len(MAGIC) : start], blob[start:]
    if not blob.startswith(MAGIC) or blake2b(body, digest_size=DIGEST).digest() != digest:
        raise StateUnreadable("The learner's state is damaged.")
    end = 8 + int.from_bytes(body[:8], "little")
    about = json.loads(body[8:end])
    model = body[end : end + about["model_bytes"]]
    read = np.frombuffer(body[end + len(model) :], "<i8").reshape(-1, 2).astype(np.int64)
    linear = learner_named(about["task_type"]).linear
    reader = linear.from_json(about["reader"]) if about["reader"] else None
    return OnlineState(
        about["task_type"], tuple(about["labels"]), about["encoder"], reader, model, about["examples"], read
    )


def _reader(state: OnlineState, rows: Rows) -> Linear:
    """How these rows are read: as those before them; the first ones say how long a vector or how large an image is."""
    if state.reader is not None:
        return state.reader.widened(rows)
    return learner_named(state.task_type).linear.begun(rows, len(state.labels))


def recipe_of(state: OnlineState) -> OnlineRecipe:
    return learner_named(state.task_type).recipe_of(OnlineRecipe, encoder=state.encoder)
