"""What an earlier start of the same console left behind: its processes whose parent is gone.

They end by themselves within seconds. One that cannot, because it was stopped or hangs, is killed here, before its
worker answers for a new one and its port is taken for somebody else's. Processes of other consoles are not looked at.
"""

import contextlib
import sys
from pathlib import Path

import psutil

from fastloop_console.machine.child import mark_of

ENDS_WITHIN_S = 3.0


def end_leftovers(home: Path) -> int:
    """How many there were."""
    left = [p for p in psutil.process_iter() if _left_by_a_dead_parent(p, str(home))]
    _, alive = psutil.wait_procs(left, timeout=ENDS_WITHIN_S)
    for process in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            for one in (*process.children(recursive=True), process):
                with contextlib.suppress(psutil.NoSuchProcess):
                    one.kill()
    psutil.wait_procs(alive, timeout=ENDS_WITHIN_S)
    return len(left)


def _left_by_a_dead_parent(process: psutil.Process, home: str) -> bool:
    try:
        mark = mark_of(process.cmdline())
        return mark is not None and mark[0] == home and process.ppid() != mark[1]
    except psutil.Error:
        return False


if __name__ == "__main__":
    end_leftovers(Path(sys.argv[1]))
