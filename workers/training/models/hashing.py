"""A table's cells as hashed features, in the shape in which Vowpal Wabbit keeps their weights."""

import zlib
from typing import Any

from workers.training.models.inputs import Cell, _missing, _number

PARTS = 8  # values of one cell such as "Crime|Drama"; more are cut
SEPARATOR = "|"


def features(name: str, cell: Cell, bits: int) -> list[tuple[int, float]]:
    """What one cell is made of: (index, value) pairs.

    >>> len(features("age", 41, 18)), len(features("job", "nurse", 18)), len(features("genres", "Crime|Drama", 18))
    (2, 1, 2)
    >>> features("age", 41, 18) == features("age", "41", 18) == features("age", 41.0, 18)
    True
    """
    if _missing(cell):
        return [(_hashed(f"{name}\0", bits), 1.0)]
    number = _number(cell)
    if number is None:
        return [(_hashed(f"{name}\0{part}", bits), 1.0) for part in str(cell).split(SEPARATOR)[:PARTS]]
    bucket = f"{number:.0f}" if number.is_integer() else f"{number:.2g}"
    return [(_hashed(name, bits), number), (_hashed(f"{name}\0{bucket}", bits), 1.0)]


def _hashed(word: str, bits: int) -> int:
    """1 to 2**bits - 1; 0 is the constant's."""
    return 1 + zlib.crc32(word.encode()) % ((1 << bits) - 1)


def stride(classes: int) -> int:
    """VW keeps the weights of one feature side by side, room for a power of two of them.

    >>> stride(2), stride(3), stride(77)
    (2, 4, 128)
    """
    return 1 << (classes - 1).bit_length()


def key(cell: Any) -> Cell:
    """The cell as a key of a dictionary."""
    return cell if isinstance(cell, str | int | float) or cell is None else str(cell)
