"""A share of few with its interval, and the difference of two."""

from dataclasses import dataclass
from math import sqrt

Z = 1.959964  # of a 95 % interval


@dataclass(frozen=True, slots=True)
class Share:
    """`times` of `of`, with its 95 % interval; value and interval are None where nobody looked."""

    times: int
    of: int
    value: float | None
    low: float | None
    high: float | None


def share_of(times: int, of: int) -> Share:
    """Wilson 1927: inside 0 and 1 even when all or none are right.

    >>> found = share_of(8, 10)
    >>> round(found.low, 3), round(found.high, 3)
    (0.49, 0.943)
    >>> share_of(0, 0).value is None
    True
    """
    if not 0 <= times <= of:
        raise ValueError("A share is of at least as many.")
    if of == 0:
        return Share(0, 0, None, None, None)
    p, z2 = times / of, Z * Z
    middle = (p + z2 / (2 * of)) / (1 + z2 / of)
    half = Z * sqrt(p * (1 - p) / of + z2 / (4 * of * of)) / (1 + z2 / of)
    return Share(times, of, p, max(middle - half, 0.0), min(middle + half, 1.0))


def difference(one: Share, other: Share) -> tuple[float, float, float] | None:
    """`one` minus `other` with its 95 % interval (Newcombe 1998, method 10); None where one of them is unknown."""
    if one.value is None or other.value is None:
        return None
    assert one.low is not None and one.high is not None and other.low is not None and other.high is not None
    gap = one.value - other.value
    down = sqrt((one.value - one.low) ** 2 + (other.high - other.value) ** 2)
    up = sqrt((one.high - one.value) ** 2 + (other.value - other.low) ** 2)
    return gap, gap - down, gap + up
