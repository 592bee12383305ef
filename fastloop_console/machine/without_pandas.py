"""Keep pandas out of a process that uses pyarrow: 36 MB for as long as it lives, for frames that nobody hands over.

pyarrow looks for pandas at its first array, in Python and again in C++, and imports it wherever it is installed. Both
ask once and remember the answer, so the first array is made while there seems to be none. Who imports pandas afterwards
gets it.
"""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType


class Hidden(MetaPathFinder):
    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name == "pandas":
            raise ModuleNotFoundError("pandas is kept out; see fastloop_console/machine/without_pandas.py", name=name)
        return None


def keep_pandas_out() -> None:
    """Call once, before the first array is made."""
    if "pandas" in sys.modules:
        return
    hidden = Hidden()
    sys.meta_path.insert(0, hidden)
    try:
        import pyarrow

        pyarrow.array([0])
    finally:
        sys.meta_path.remove(hidden)
