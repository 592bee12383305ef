"""PostgreSQL and Redis from pip wheels, for `make run` and the tests: started once, shared, stopped after the last user.

Not for production: there DATABASE_URL and REDIS_URL name servers that somebody else looks after.

Every process that needs the servers holds a shared lock on `servers.lock`. Whoever can have that lock alone knows that
nobody uses them and stops them: the last one on its way out, or the keeper where the last one was killed. So a
`simulate` beside a running console neither starts nor stops twice.
"""

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

from fastloop_console.machine import keeper, place, postgres_server, redis_server
from fastloop_console.machine.place import Urls
from fastloop_console.machine.ports import taken


def known_urls(home: Path) -> Urls:
    """The addresses written down by the process that started the servers; empty ones before the first start."""
    where = place.read(home)
    return where.urls if where else Urls(database="postgres://127.0.0.1:1/fastloop", redis="redis://127.0.0.1:1/0")


@contextlib.contextmanager
def running(home: Path) -> Iterator[Urls]:
    """Both servers up for as long as the block lasts. Raises ServersUnavailable or HomeUnusable."""
    place.home_made(home)
    with place.written_below(home):
        lock = (home / "servers.lock").open("w")
    try:
        with place.written_below(home), _exclusive(home):
            fcntl.flock(lock, fcntl.LOCK_SH)  # after a keeper that is just stopping them
            keeper.ensure(home)
            where = _started(home, place.settled(home))
        yield where.urls
    finally:
        lock.close()
        _leave(home)


def _started(home: Path, where: place.ServersPlace) -> place.ServersPlace:
    """Both up, each at another port where somebody has taken the one it had. Raises ServersUnavailable.

    Only here, where nobody uses them yet: every process has read the addresses that a running console moved away from.
    """
    if not postgres_server.runs(where) and taken(where.postgres_port):
        where = place.moved(home, where, postgres=True)
    postgres_server.start(where)
    if not redis_server.answers(where) and not redis_server.alive(where) and taken(where.redis_port):
        where = place.moved(home, where, postgres=False)
    redis_server.start(where)
    return where


def look_after(home: Path) -> None:
    """Start again what died since; for the process that keeps the console running."""
    where = place.read(home)
    if where is None:
        return
    with _exclusive(home):
        keeper.ensure(home)
        postgres_server.start(where)
        if not redis_server.alive(where):
            redis_server.start(where)


def _leave(home: Path) -> None:
    """Stop the servers unless somebody else uses them; where the keeper is faster, wait until it has."""
    with _exclusive(home), (home / "servers.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            fcntl.flock(lock, fcntl.LOCK_SH)
            return
        where = place.read(home)
        if where is not None:
            keeper.stop_servers(where)


@contextlib.contextmanager
def _exclusive(home: Path) -> Iterator[None]:
    """One process at a time starts or stops; the others wait."""
    with (home / "servers.turn").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        yield
