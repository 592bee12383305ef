"""Payloads to vectors: which encoders are installed, and how encoders are named."""

from apps.rules.encoders.encoder import InstalledEncoder
from apps.rules.encoders.names import MOST_NAME, TUNED_DIM, TUNED_FROM, name_fault, tuned_name
from apps.rules.encoders.registry import ENCODERS, READS_LIKE, reading

__all__ = [
    "ENCODERS",
    "MOST_NAME",
    "READS_LIKE",
    "TUNED_DIM",
    "TUNED_FROM",
    "InstalledEncoder",
    "name_fault",
    "reading",
    "tuned_name",
]
