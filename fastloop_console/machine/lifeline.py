"""A process ends with the one that started it, however that one ends, kill -9 included.

The parent holds the writing end of a pipe that nobody writes to, the child a reading end. The kernel closes the parent's
end with the parent, and the child's thread reads the end of the file. It asks its process to stop, and kills what has
not stopped by then. Linux could send a signal itself (PR_SET_PDEATHSIG), but at the death of the *thread* that started
the child, and macOS could not; a pipe does the same on both.
"""

import contextlib
import os
import signal
import stat
import threading
import time
from collections.abc import Mapping
from typing import Any

VARIABLE = "FASTLOOP_LIFELINE"  # the descriptor's number, from parent to child; no setting
STOPS_WITHIN_S = 8.0  # then it is killed, with its group where it leads one
_lock = threading.Lock()
_pipe: list[int] = []


def tied(env: Mapping[str, str]) -> dict[str, Any]:
    """Arguments of Popen for a child that calls `follow`: it shall not outlive this process."""
    with _lock:
        if not _pipe:
            _pipe.extend(os.pipe())  # neither end reaches a child that is not given it
    return {"env": {**env, VARIABLE: str(_pipe[0])}, "pass_fds": (_pipe[0],)}


def follow() -> None:
    """End with the parent from now on, where the parent asked for it."""
    number = os.environ.pop(VARIABLE, "")
    with contextlib.suppress(OSError, ValueError):  # somebody in between closed it
        watched = int(number)
        if stat.S_ISFIFO(os.fstat(watched).st_mode):
            os.set_inheritable(watched, False)
            threading.Thread(target=_watch, args=(watched,), name="lifeline", daemon=True).start()


def _watch(pipe: int) -> None:
    while os.read(pipe, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(STOPS_WITHIN_S)
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)
