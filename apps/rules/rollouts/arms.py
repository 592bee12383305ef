"""Who meets the canary: a fixed place for each entity, so that raising the weight only ever adds entities."""

from enum import StrEnum
from hashlib import blake2b

PLACES = 10_000  # a weight is measured in hundredths of a percent


class Arm(StrEnum):
    """Who answers: the champion, a canary that some entities meet, or a shadow whose answer nobody sees."""

    CHAMPION = "champion"
    CANARY = "canary"
    SHADOW = "shadow"


def place_of(entity: str, *, salt: str) -> int:
    """0 to 9,999, the same for ever under one salt. A new rollout has a new salt, so that not always the same are first.

    >>> place_of("user-1", salt="a") == place_of("user-1", salt="a")
    True
    """
    digest = blake2b(entity.encode(), key=salt.encode()[:64], digest_size=8).digest()
    return int.from_bytes(digest, "big") % PLACES


def is_canary(entity: str, *, salt: str, weight: float) -> bool:
    """`weight` is the percentage of entities that meet the canary, 0 to 100.

    >>> is_canary("user-1", salt="a", weight=0), is_canary("user-1", salt="a", weight=100)
    (False, True)
    """
    return place_of(entity, salt=salt) < weight * PLACES / 100
