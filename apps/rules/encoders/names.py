"""Names of encoders: the key of their vectors, and part of file names."""

import re

MOST_NAME = 60  # characters of a name that somebody gives
_NAME = re.compile(rf"[a-z0-9][a-z0-9.-]{{0,{MOST_NAME - 1}}}")
TUNED_FROM, TUNED_DIM = "all-minilm-l6-v2", 384  # whose weights a fine-tune begins with


def tuned_name(run_id: int) -> str:
    """The name of the encoder that a run fine-tunes. No name is ever taken apart: its row says who made it.

    >>> tuned_name(7)
    'all-minilm-l6-v2+run-7'
    """
    return f"{TUNED_FROM}+run-{run_id}"


def name_fault(name: str) -> str:
    """Why a person cannot give this name; empty where they can. A plus is kept for what runs make.

    >>> name_fault("our-domain-v2"), name_fault("../x"), name_fault("a+b")
    ('', 'letters', 'letters')
    """
    return "" if _NAME.fullmatch(name) and ".." not in name else "letters"
