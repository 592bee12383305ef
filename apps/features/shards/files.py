"""The file of a shard: Arrow IPC, one record batch of id, holdout, usable and a float16 vector, ascending by id.

`holdout` stands beside the id because it never changes: a scorer of a million rows asks the database for none of them.
"""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

LEAST_LENGTH = 1e-3  # of a vector; float16 keeps three digits, so anything shorter has no direction


class ShardLost(Exception):
    """The file is missing, truncated or changed; the message says which. Its examples must be embedded again."""


@dataclass(frozen=True, slots=True, eq=False)
class Mapped:
    """A shard of n rows whose vectors stay on disk until they are read; pages come and go with the page cache.

    ids (n,) ascending; holdout (n,); usable (n,), False where the vector is no direction and stands as zeros;
    vectors (n, dim) float16.
    """

    ids: NDArray[np.int64]
    holdout: NDArray[np.bool_]
    usable: NDArray[np.bool_]
    vectors: NDArray[np.float16]

    def __len__(self) -> int:
        return len(self.ids)


def usable_rows(vectors: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Rows that point somewhere: finite, not zero, not the same number throughout. (n, dim) -> (n,)."""
    exact = vectors.astype(np.float32)
    with np.errstate(invalid="ignore", over="ignore"):
        length = np.linalg.norm(exact, axis=1)
        varied = exact.max(axis=1) > exact.min(axis=1) if exact.shape[1] > 1 else np.ones(len(exact), bool)
    return np.asarray(np.isfinite(exact).all(axis=1) & (length > LEAST_LENGTH) & varied)


def packed(
    ids: NDArray[np.int64], holdout: NDArray[np.bool_], vectors: NDArray[np.float16]
) -> tuple[bytes, NDArray[np.bool_]]:
    """The bytes of a shard and which rows, as given, are usable. ids (n,), holdout (n,), vectors (n, dim)."""
    usable = usable_rows(vectors)
    order = np.argsort(ids, kind="stable")
    kept = np.where(usable[order, None], vectors[order], np.float16(0))
    column = pa.FixedSizeListArray.from_arrays(pa.array(kept.reshape(-1), pa.float16()), vectors.shape[1])
    batch = pa.record_batch(
        [pa.array(ids[order], pa.int64()), pa.array(holdout[order]), pa.array(usable[order]), column],
        names=["id", "holdout", "usable", "vector"],
    )
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return sink.getvalue().to_pybytes(), usable


def mapped(path: str, *, size_bytes: int, sha256: str) -> Mapped:
    """The file at a local path, mapped. Its size is compared at each call, its digest once. Raises ShardLost."""
    try:
        found = Path(path).stat()
    except OSError as cause:
        raise ShardLost(f"the file is missing ({cause.strerror})") from cause
    if size_bytes and found.st_size != size_bytes:
        raise ShardLost(f"the file has {found.st_size:,} bytes instead of {size_bytes:,}")
    return _mapped(path, found.st_size, found.st_mtime_ns, found.st_ino, sha256)


@lru_cache(maxsize=4096)  # a mapping costs nothing but addresses; a changed file has another key
def _mapped(path: str, size_bytes: int, modified_ns: int, inode: int, sha256: str) -> Mapped:
    try:
        with Path(path).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as cause:
        raise ShardLost(f"the file cannot be read ({cause.strerror})") from cause
    if digest != sha256:
        raise ShardLost("the file's bytes are not those that were written")
    try:
        batch = pa.ipc.open_file(pa.memory_map(path)).get_batch(0)
        vectors, rows = batch.column("vector"), batch.num_rows
        return Mapped(
            batch.column("id").to_numpy(zero_copy_only=True),
            batch.column("holdout").to_numpy(zero_copy_only=False),
            batch.column("usable").to_numpy(zero_copy_only=False),
            vectors.flatten().to_numpy(zero_copy_only=True).reshape(rows, -1),
        )
    except (pa.ArrowInvalid, KeyError, OSError) as cause:
        raise ShardLost(f"the file is of another format ({cause})") from cause
