"""Lengths of time as Kubernetes and Argo write them: `30s`, `10m`, `1h30m`, `2d`."""

import re
from datetime import timedelta

from apps.rules.sentences import sentence

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
MOST = timedelta(days=90)
_PARTS = re.compile(r"(?:(\d{1,7})d)?(?:(\d{1,7})h)?(?:(\d{1,7})m)?(?:(\d{1,7})s)?")


def duration_of(written: str | int) -> timedelta:
    """A bare number counts seconds. Raises ValueError with a sentence.

    >>> duration_of("1h30m"), duration_of(45)
    (datetime.timedelta(seconds=5400), datetime.timedelta(seconds=45))
    """
    text = str(written).strip()
    text = f"{text}s" if text.isascii() and text.isdigit() and len(text) < 8 else text
    parts = _PARTS.fullmatch(text)
    if not parts or not text:
        raise ValueError(sentence("“{value}” is no length of time; write 30s, 10m, 1h30m or 2d.", value=text[:20]))
    days, hours, minutes, seconds = (int(part or 0) for part in parts.groups())
    length = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    if length > MOST:
        raise ValueError(
            sentence("{text} is longer than the {days} days that a rollout may wait.", text=text, days=MOST.days)
        )
    return length


def in_words(length: timedelta) -> str:
    """As it would be written.

    >>> in_words(timedelta(minutes=90)), in_words(timedelta(0))
    ('1h30m', '0s')
    """
    left, parts = round(length.total_seconds()), list[str]()
    for unit in ("d", "h", "m", "s"):
        amount, left = divmod(left, SECONDS[unit])
        parts += [f"{amount}{unit}"] if amount else []
    return "".join(parts) or "0s"
