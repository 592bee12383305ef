"""Encoders without a network: images, table rows and words into vectors of length 1, the same on every machine.

They need no download and no fit, so a shard written today and one written in a year hold comparable vectors. That is
why the second text encoder hashes words instead of bringing another model's weights: it adds no dependency, reads any
language, and an encoder change can be tried on every installation.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from math import asinh, cos, isfinite, sin, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from apps.rules.pictures import PictureRefused, decoded

SIDE = 16  # pixels; enough to tell digits and garments apart, small enough for a million in 512 MB
FREQUENCIES = (0.5, 2.0, 8.0)  # of a number on its asinh scale: far, near and fine differences
WORD = re.compile(r"\w+")
SPELLING = 4  # letters of the n-grams inside a word


class PayloadUnreadable(ValueError):
    """One payload cannot be encoded; its vector stays zero and the others go on."""


class Thumbnail:
    """An encoded image -> 16 by 16 grey pixels, mean taken off, length 1."""

    name, dim = "thumbnail-16", SIDE * SIDE

    def encode(self, payloads: Sequence[bytes]) -> NDArray[np.float16]:
        return _each(self, payloads)

    def one(self, payload: bytes) -> NDArray[np.float64]:
        try:
            whole = decoded(payload, about=4 * SIDE).pixels
            small = whole.convert("F").resize((SIDE, SIDE), Image.Resampling.BOX)
        except (PictureRefused, ValueError, TypeError) as cause:
            raise PayloadUnreadable(str(cause)) from cause
        pixels = np.asarray(small, dtype=np.float64).reshape(-1)
        return np.asarray(pixels - pixels.mean())


class HashedRow:
    """A table row -> 64 numbers. A category is a signed bucket; a number is sines and cosines of its logarithm.

    Random Fourier features (Rahimi and Recht 2007) weigh every column alike, whatever its unit.
    """

    name, dim = "hashed-row-64", 64

    def encode(self, payloads: Sequence[Mapping[str, Any]]) -> NDArray[np.float16]:
        return _each(self, payloads)

    def one(self, payload: Mapping[str, Any]) -> NDArray[np.float64]:
        out = np.zeros(self.dim)
        for column, value in payload.items():
            number = _number(value)
            if number is not None:
                for frequency in FREQUENCIES:
                    angle = asinh(number) * frequency
                    _add(out, f"{column}/{frequency}/cos", cos(angle) / sqrt(len(FREQUENCIES)))
                    _add(out, f"{column}/{frequency}/sin", sin(angle) / sqrt(len(FREQUENCIES)))
            elif value not in (None, ""):
                _add(out, f"{column}={value}", 1.0)
        return out


class HashedWords:
    """A text -> 256 numbers: words and the n-grams inside them in signed buckets, damped by the square root."""

    name, dim = "hashed-words-256", 256

    def encode(self, payloads: Sequence[str]) -> NDArray[np.float16]:
        return _each(self, payloads)

    def one(self, payload: str) -> NDArray[np.float64]:
        out = np.zeros(self.dim)
        for term in _terms(payload):
            _add(out, term, 1.0)
        return np.asarray(np.sign(out) * np.sqrt(np.abs(out)))


def _terms(text: str) -> Iterator[str]:
    for word in WORD.findall(text.casefold()):
        yield word
        padded = f"<{word}>"
        if len(padded) > SPELLING:
            yield from (padded[i : i + SPELLING] for i in range(len(padded) - SPELLING + 1))


def _each(encoder: Thumbnail | HashedRow | HashedWords, payloads: Sequence[Any]) -> NDArray[np.float16]:
    """(n, dim) of length 1; zeros where a payload cannot be read or says nothing."""
    out = np.zeros((len(payloads), encoder.dim), np.float16)
    for place, payload in enumerate(payloads):
        try:
            vector = encoder.one(payload)
        except (PayloadUnreadable, AttributeError, TypeError):  # not the kind of payload that the encoder reads
            continue
        length = float(np.linalg.norm(vector))
        if length > 0:
            out[place] = vector / length
    return out


def _add(out: NDArray[np.float64], term: str, weight: float) -> None:
    """Feature hashing with a sign (Weinberger et al. 2009), by a hash that no process seeds."""
    found = int.from_bytes(blake2b(term.encode("utf-8", "surrogatepass"), digest_size=4).digest())
    out[(found >> 1) % len(out)] += weight if found & 1 else -weight


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if isfinite(number) else None
