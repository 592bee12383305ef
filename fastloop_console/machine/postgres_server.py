"""The embedded PostgreSQL: made, started, asked and stopped through the programs of its wheel."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from fastloop_console.machine.place import NO_SPACE, ServersPlace, full
from fastloop_console.machine.refusals import ServersUnavailable
from fastloop_console.machine.service_user import refuse_unreachable, service_user


def start(where: ServersPlace) -> None:
    """Does nothing where it runs. Raises ServersUnavailable."""
    data, binaries = Path(where.postgres_dir), Path(where.postgres_bin)
    user = service_user(data)
    if _pg_ctl(where, user, "status").returncode == 0:
        return
    if not (data / "PG_VERSION").exists():
        _initialise(where, data, binaries, user)
    elif not _password_known(where):
        refuse_unreachable(data, binaries, user)
        _set_password(where, data, binaries, user)
    refuse_unreachable(data, binaries, user)
    options = (
        f"-p {where.postgres_port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=200"
    )
    log = data / "server.log"
    started = _pg_ctl(where, user, "-w", "-t", "120", "-l", f"{data.name}/{log.name}", "-o", options, "start")
    if started.returncode:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-5:]) if log.exists() else started.stderr
        _refuse_full(data, tail)
        raise ServersUnavailable(f"PostgreSQL did not start on port {where.postgres_port}. Its log ends:\n{tail}")


def runs(where: ServersPlace) -> bool:
    """Whether its own process is there, not whether somebody listens at its port."""
    data = Path(where.postgres_dir)
    return data.exists() and _pg_ctl(where, service_user(data), "status").returncode == 0


def stop(where: ServersPlace) -> None:
    """Returns once it is gone; does nothing where it is."""
    data = Path(where.postgres_dir)
    if data.exists():
        _pg_ctl(where, service_user(data), "-m", "fast", "-w", "stop")


def _initialise(where: ServersPlace, data: Path, binaries: Path, user: dict[str, object]) -> None:
    """An empty database in a folder that gets its name last, so that a start cut short leaves no half of one."""
    new, password = data.with_name(f"{data.name}.new"), data.with_name(f".{data.name}-password")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(mode=0o700, parents=True)
    password.touch(mode=0o600)
    password.write_text(where.password)
    if user:
        for path in (new, password):
            os.chown(path, int(str(user["user"])), int(str(user["group"])))
    try:
        refuse_unreachable(new, binaries, user)
        arguments = ["-U", "postgres", "--encoding=UTF8", "--locale=C.UTF-8", "--auth=scram-sha-256"]
        made = _run([binaries / "initdb", "-D", new, *arguments, f"--pwfile={password}"], user)
        if made.returncode == 0:
            made = _run([binaries / "postgres", "--single", "-D", new, "postgres"], user, "CREATE DATABASE fastloop\n")
    finally:
        password.unlink()
    if made.returncode:
        shutil.rmtree(new, ignore_errors=True)
        _refuse_full(data, made.stderr)
        raise ServersUnavailable(f"PostgreSQL could not make its data folder {data}:\n{made.stderr}")
    if data.exists():
        data.rmdir()
    new.rename(data)
    _note_password(where, data)


def _mark(data: Path) -> Path:
    return data.with_name(f".{data.name}-password-set")


def _digest(password: str) -> str:
    return hashlib.sha256(f"fastloop servers {password}".encode()).hexdigest()


def _password_known(where: ServersPlace) -> bool:
    """Whether the cluster was given this password; one of an earlier release has no mark and is given it again."""
    try:
        return _mark(Path(where.postgres_dir)).read_text() == _digest(where.password)
    except OSError:
        return False


def _set_password(where: ServersPlace, data: Path, binaries: Path, user: dict[str, object]) -> None:
    """The cluster is stopped: PostgreSQL's single-user mode asks for none. Raises ServersUnavailable.

    The data outlived the file with its password: `servers.json` was lost, or a full disk cut it.
    """
    words = f"ALTER ROLE postgres PASSWORD '{where.password}'\n"
    done = _run([binaries / "postgres", "--single", "-D", data, "postgres"], user, words)
    if done.returncode or "ERROR" in done.stdout:
        _refuse_full(data, done.stdout)
        raise ServersUnavailable(f"PostgreSQL could not be given a new password for {data}:\n{done.stdout[-500:]}")
    _note_password(where, data)


def _note_password(where: ServersPlace, data: Path) -> None:
    _mark(data).touch(mode=0o600)
    _mark(data).write_text(_digest(where.password))


def _refuse_full(data: Path, words: str) -> None:
    if NO_SPACE in words:
        raise ServersUnavailable(full(data))


def _pg_ctl(where: ServersPlace, user: dict[str, object], *arguments: str) -> subprocess.CompletedProcess[str]:
    """In the folder above the data, which it is told by name alone: it hands the path to a shell, between quotes."""
    data = Path(where.postgres_dir)
    folder = data.parent if data.parent.exists() else Path("/")
    return _run([Path(where.postgres_bin) / "pg_ctl", "-D", data.name, *arguments], user, folder=folder)


def _run(
    command: list[object], user: dict[str, object], words: str = "", *, folder: Path = Path("/")
) -> subprocess.CompletedProcess[str]:
    """A short-lived command of PostgreSQL's, with what it said. Its daemon must not inherit our pipes: hence files."""
    with tempfile.TemporaryFile("w+") as asked, tempfile.TemporaryFile("w+", errors="replace") as out:
        asked.write(words)
        asked.seek(0)
        done = subprocess.run(
            [str(c) for c in command],
            stdin=asked,
            stdout=out,
            stderr=out,
            text=True,
            cwd=folder,
            start_new_session=True,  # Ctrl-C in the terminal reaches the console, not the database
            **user,  # type: ignore[call-overload]
        )
        out.seek(0)
        answer = out.read()
    return subprocess.CompletedProcess(done.args, done.returncode, answer, answer)
