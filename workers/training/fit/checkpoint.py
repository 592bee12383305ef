"""A run's state as bytes that prove themselves: a digest, then `torch.save`. No pickle is ever executed."""

import io
from hashlib import blake2b
from typing import Any

import torch

from workers.training.refusals import CheckpointUnreadable

DIGEST_BYTES = 16


def pack(state: dict[str, Any]) -> bytes:
    """Tensors, numbers, texts, lists and dicts only."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    payload = buffer.getvalue()
    return _digest(payload) + payload


def unpack(blob: bytes, *, run: str) -> dict[str, Any]:
    """The state of the run with this fingerprint. Raises CheckpointUnreadable."""
    payload = blob[DIGEST_BYTES:]
    if len(blob) <= DIGEST_BYTES or _digest(payload) != blob[:DIGEST_BYTES]:
        raise CheckpointUnreadable("The checkpoint is damaged. Training can start again from the first step.")
    state: dict[str, Any] = torch.load(io.BytesIO(payload), map_location="cpu", weights_only=True)
    if state.get("run") != run:
        raise CheckpointUnreadable("The checkpoint belongs to a run with another recipe or other rows.")
    return state


def _digest(payload: bytes) -> bytes:
    return blake2b(payload, digest_size=DIGEST_BYTES).digest()
