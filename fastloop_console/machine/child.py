"""`python -m fastloop_console.machine.child HOME PARENT MODULE ARGUMENTS`: run a module as a child of one console.

It ends with its parent, and its command line says whose it is: HOME is the data directory, PARENT the process that
started it. By those two the next start finds what an earlier one left.
"""

import runpy
import sys
from collections.abc import Sequence
from pathlib import Path

from fastloop_console.machine import lifeline

MODULE = "fastloop_console.machine.child"


def command(home: Path, parent: int, module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", MODULE, str(home), str(parent), module, *arguments]


def mark_of(line: Sequence[str]) -> tuple[str, int] | None:
    """Home and parent in a process's command line; None where it is no child of a console.

    >>> mark_of(command(Path("/srv/var"), 12, "uvicorn", "--port", "8000"))
    ('/srv/var', 12)
    >>> mark_of(["vi", "fastloop_console.machine.child"])
    """
    if MODULE not in line[:-3]:
        return None
    home, parent = line[line.index(MODULE) + 1 :][:2]
    return (home, int(parent)) if parent.isdigit() else None


def main() -> None:
    _, _, _, module, *arguments = sys.argv
    lifeline.follow()
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
