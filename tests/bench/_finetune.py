"""What fine-tuning the encoder costs here and what it buys: banking77, a part that a processor can wait for.

The head on the installed encoder's vectors is measured on the same texts, so the gain is the encoder's alone.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from apps.rules.encoders import tuned_name
from tests.bench._sets import SETS
from tests.training.recipes import recipe_for
from workers.training.encoders.encoder import SentenceEncoder
from workers.training.encoders.tuned import TunedEncoder
from workers.training.finetune.fine_tune import fine_tune
from workers.training.fit.loop import fit
from workers.training.fit.reports import Listeners
from workers.training.models.bundle import Bundle, predict

Say = Callable[[str], None]
TRAINED, HELD = 3000, 1000  # of 10,003 and 3,080; drawn by the seed


def measure(say: Say, *, seed: int = 0, trained: int = TRAINED, held: int = HELD, **settings: Any) -> dict[str, Any]:
    """Tokens a second, memory, and accuracy of the head before and after the encoder was tuned with it."""
    texts, y, names, train, test = _drawn(seed, trained, held)
    told = [texts[i] for i in train]
    asked = [texts[i] for i in test]
    plain = SentenceEncoder()
    head = fit(plain.encode(told), y[train], names, recipe_for("text-classification", seed=seed)).bundle
    before = _accuracy(head, plain.encode(asked), y[test])
    say(f"head on the installed encoder: accuracy {before:.3f} from {len(train):,} texts of {len(names)} intents")
    recipe = recipe_for("text-classification", "fine-tune", seed=seed, encoder=tuned_name(1), **settings)
    found = fine_tune(
        told,
        y[train],
        names,
        recipe,
        listeners=Listeners(on_report=lambda r: say(f"  step {r.step}/{r.steps_total}, {r.samples_per_s:.0f} texts/s")),
    )
    assert found.bundle.tuned is not None
    after = _accuracy(found.bundle, TunedEncoder(found.bundle.tuned).encode(asked), y[test])
    measured = dict(found.measured)
    say(
        f"fine-tuned ({recipe.adapter}): accuracy {after:.3f}; {measured['tokens_per_s']:,.0f} tokens/s, "
        f"{measured['samples_per_s']:,.0f} texts/s, {measured['peak_memory_mb']:,.0f} MB, {found.seconds:.0f} s"
    )
    return {
        "accuracy_head": round(before, 4),
        "accuracy_fine_tune": round(after, 4),
        "seconds": round(found.seconds, 1),
        "trained": len(train),
        "held": len(test),
        "adapter": recipe.adapter,
        **measured,
    }


def _drawn(
    seed: int, trained: int, held: int
) -> tuple[list[str], NDArray[np.int64], list[str], NDArray[np.int64], NDArray[np.int64]]:
    table = pq.read_table(SETS / "banking77.parquet").to_pydict()
    names = sorted(set(table["label"]))
    y = np.array([names.index(label) for label in table["label"]], np.int64)
    split, rng = np.array(table["split"]), np.random.default_rng(seed)
    train, test = (rng.permutation(np.flatnonzero(split == name)) for name in ("train", "test"))
    return list(table["text"]), y, names, train[:trained], test[:held]


def _accuracy(bundle: Bundle, vectors: NDArray[np.float16], truth: NDArray[np.int64]) -> float:
    return float((predict(bundle, vectors).argmax(axis=1) == truth).mean())
