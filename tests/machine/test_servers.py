"""The embedded servers on homes that had an accident: odd paths, a lost file, a port that somebody took, dead processes."""

import os
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from fastloop_console.machine import embedded, place, postgres_server, redis_server, up
from fastloop_console.machine.place import ServersPlace, kept_once


@pytest.fixture
def home() -> Iterator[Path]:
    """Others may walk to it, as PostgreSQL's own user must where root runs the tests."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        yield Path(folder) / "home"


def rows(urls: place.Urls, *commands: str) -> list[tuple[object, ...]]:
    with psycopg.connect(urls.database) as line:
        for command in commands[:-1]:
            line.execute(command)
        return line.execute(commands[-1]).fetchall()


@pytest.mark.parametrize("name", ["my home", 'it\'s "quoted" $HOME `x`'])
def test_a_home_with_an_odd_name_works(home: Path, name: str) -> None:
    odd = home.with_name(name)
    with embedded.running(odd) as urls:
        assert rows(urls, "SELECT 1") == [(1,)]
        assert redis_server.answers(place.read(odd))
    assert not postgres_server.runs(place.read(odd))


@pytest.mark.parametrize("left", [None, "", '{"postgres_dir": "'])
def test_a_lost_or_cut_file_does_not_lock_the_data_away(home: Path, left: str | None) -> None:
    with embedded.running(home) as urls:
        assert rows(urls, "CREATE TABLE kept (x int)", "INSERT INTO kept VALUES (7)", "SELECT x FROM kept") == [(7,)]
    before = place.read(home)
    (home / "servers.json").unlink() if left is None else (home / "servers.json").write_text(left)
    with embedded.running(home) as urls:
        assert rows(urls, "SELECT x FROM kept") == [(7,)]
        assert redis_server.answers(place.read(home))
    assert place.read(home).password != before.password


def test_ports_that_somebody_took_are_left_to_them(home: Path) -> None:
    with embedded.running(home):
        before = place.read(home)
    with (
        socket.create_server(("127.0.0.1", before.postgres_port)),
        socket.create_server(("127.0.0.1", before.redis_port)),
        embedded.running(home) as urls,
    ):
        now = place.read(home)
        assert rows(urls, "SELECT 1") == [(1,)] and redis_server.answers(now)
    assert {now.postgres_port, now.redis_port} & {before.postgres_port, before.redis_port} == set()


def where(home: Path, pid: int) -> ServersPlace:
    (home / "redis").mkdir(parents=True)
    (home / "redis" / "redis.pid").write_text(str(pid))
    return ServersPlace(str(home / "postgres"), str(home / "redis"), "/none", 1, 1, "secret")


def test_a_recycled_number_and_a_zombie_are_no_redis(home: Path) -> None:
    assert not redis_server.alive(where(home, os.getpid()))
    zombie = subprocess.Popen([sys.executable, "-c", "pass", "redis-server 127.0.0.1:1"])
    os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)
    assert not redis_server.alive(where(home / "second", zombie.pid))
    zombie.wait()


def test_what_is_kept_once_is_whole_private_and_made_anew_where_a_full_disk_left_it_empty(home: Path) -> None:
    file = home / "secret_key"
    assert kept_once(file, "first") == "first" == kept_once(file, "second")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.write_text("")
    assert kept_once(file, "third") == "third" == file.read_text()


def test_a_write_that_fails_leaves_the_earlier_addresses(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home.mkdir()
    first = ServersPlace("/a", "/b", "/c", 1, 2, "secret")
    place._keep(home, first)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(place.HomeUnusable, match="is full"):
        place.moved(home, first, postgres=True)
    assert place.read(home) == first and [f.name for f in home.iterdir()] == ["servers.json"]


def test_whoever_keeps_the_servers_survives_what_the_system_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    rounds = iter([PermissionError(1, "Operation not permitted"), OSError(28, "No space left"), SystemExit()])

    class Listener:
        def say(self, name: str, line: str, color: int) -> None:
            said.append(line)

    def look_after(_: Path) -> None:
        raise next(rounds)

    monkeypatch.setattr(embedded, "look_after", look_after)
    monkeypatch.setattr(up, "SERVERS_LOOKED_AT_EVERY_S", 0)
    with pytest.raises(SystemExit):
        up._keep_servers(Listener())  # type: ignore[arg-type]
    assert len(said) == 2 and "Operation not permitted" in said[0]


def test_the_greeting_comes_whatever_names_are_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOWED_HOSTS", ".example.com,other.test")
    assert up._allowed_host() == "example.com"
    monkeypatch.setenv("ALLOWED_HOSTS", "*")
    assert up._allowed_host() == "localhost"
    assert up._hosts("::1") == ("::1", "[::1]")
