"""What an installed encoder is: a name for its vectors, the payloads that it reads, and where the class that makes them is."""

from dataclasses import dataclass
from importlib import import_module
from typing import Any


@dataclass(frozen=True, slots=True)
class InstalledEncoder:
    """`name` is the key of its vectors: other weights are another encoder.

    `payloads` are the kinds of payload that it reads (text, pair, image, tabular); a pair is read as all its text. `dim` is
    the length of a vector. `made_by` is "module:Class" of a `PayloadEncoder` and imported by workers alone, since the web
    process loads no torch.
    """

    name: str
    title: str
    payloads: tuple[str, ...]
    dim: int
    made_by: str

    def load(self) -> Any:
        """The encoder itself. Raises what its module raises, AttributeError where it has no such class."""
        module, _, name = self.made_by.partition(":")
        return getattr(import_module(module), name)()
