"""Names of encoders that a run fine-tuned. The name is the key of its vectors, and tells where its weights are."""

import re

TUNED_FROM = "all-minilm-l6-v2"
_TUNED = re.compile(rf"{re.escape(TUNED_FROM)}\+run-(\d+)")


def tuned_name(run_id: int) -> str:
    """
    >>> tuned_name(7)
    'all-minilm-l6-v2+run-7'
    """
    return f"{TUNED_FROM}+run-{run_id}"


def run_of(name: str) -> int | None:
    """The run that fine-tuned the encoder of this name; None where no run did.

    >>> run_of("all-minilm-l6-v2+run-7"), run_of("all-minilm-l6-v2"), run_of("+run-7/../x")
    (7, None, None)
    """
    found = _TUNED.fullmatch(name)
    return int(found.group(1)) if found else None
