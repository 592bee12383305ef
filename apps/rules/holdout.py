"""Which examples are set aside for ever, to measure models that never train on them."""

from hashlib import blake2b

BITS = 64


def in_holdout(external_id: str, *, salt: str, share: float) -> bool:
    """Whether the id's hash falls into the first `share` of the unit interval.

    The answer depends on nothing but its arguments, and a larger share only adds examples: whoever was in stays in.
    """
    digest = blake2b(external_id.encode(), key=blake2b(salt.encode()).digest(), digest_size=BITS // 8).digest()
    place: float = int.from_bytes(digest, "big") / 2**BITS
    return place < share
