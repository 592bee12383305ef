"""Which commands find their database up to date, how fast that is seen, and whose database is never changed unasked."""

import time
from pathlib import Path

import pytest
from django.core.management import get_commands
from django.db import connection
from django.db.utils import OperationalError

from fastloop_console.machine import commands, embedded, env, migrations
from fastloop_console.machine.refusals import DatabaseBehind, HomeUnusable, ServersUnavailable

pytestmark = pytest.mark.django_db
LATER = "9999_later"


@pytest.fixture
def one_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """The checkout has a migration that the database has not seen."""
    names = migrations._names
    monkeypatch.setattr(
        migrations, "_names", lambda folder: [*names(folder), *([LATER] if folder.parent.name == "slas" else [])]
    )


def test_nothing_to_do_is_seen_within_50_ms() -> None:
    took = []
    for _ in range(5):
        began = time.perf_counter()
        assert migrations.missing_migrations() == []
        took.append(time.perf_counter() - began)
    assert min(took) < 0.05, took


@pytest.mark.usefixtures("one_more")
def test_a_database_of_the_users_own_is_left_alone_and_the_sentence_says_what_to_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(migrations, "_apply", lambda missing: pytest.fail("it was changed unasked"))
    assert env.database_url()
    with pytest.raises(DatabaseBehind) as refused:
        migrations.bring_up_to_date()
    assert str(refused.value) == (
        f"The database that DATABASE_URL names lacks 1 migration, slas.{LATER} first. Run: python manage.py migrate"
    )


@pytest.mark.usefixtures("one_more")
def test_the_embedded_database_is_migrated_without_being_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    applied: list[list[str]] = []
    monkeypatch.setattr(env, "database_url", lambda: "")
    monkeypatch.setattr(env, "home", lambda: tmp_path)
    monkeypatch.setattr(migrations, "_apply", applied.append)
    migrations.bring_up_to_date()
    assert applied == [[f"slas.{LATER}"]]


def test_a_disk_that_gets_full_meanwhile_is_said_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object, **more: object) -> None:
        raise OperationalError("could not extend file: No space left on device")

    monkeypatch.setattr("django.core.management.call_command", full)
    with pytest.raises(HomeUnusable, match=r"^The disk that holds .* is full\. Free some of it"):
        migrations._apply(["slas.0001_initial"])


def test_a_database_that_is_away_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "get_connection_params", lambda: {"host": "127.0.0.1", "port": 1, "dbname": "x"})
    for own, kind in (("postgres://elsewhere", DatabaseBehind), ("", ServersUnavailable)):
        monkeypatch.setattr(env, "database_url", lambda own=own: own)
        with pytest.raises(kind, match=r"The database at 127\.0\.0\.1:1 cannot be reached: .*refused"):
            migrations.missing_migrations()


def test_every_command_of_ours_and_those_that_people_use_find_it_up_to_date(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = {name for name, app in get_commands().items() if str(app).startswith("apps.")}
    assert {"simulate", "demo", "reproduce"} <= ours
    exempt = commands.WITHOUT_DATABASE | commands.OWN_SERVERS | commands.MIGRATES | commands.LOOKS
    assert (ours | {"createsuperuser", "changepassword", "shell", "loaddata", "dumpdata"}) & exempt == {
        "bench",
        "predictor_key",
        "restore",
    }


def test_a_command_is_brought_up_to_date_before_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    monkeypatch.setattr("django.core.management.execute_from_command_line", lambda argv: order.append(argv[1]))
    monkeypatch.setattr(migrations, "bring_up_to_date", lambda: order.append("up to date"))
    for name in ("simulate", "shell", "migrate", "bench"):
        monkeypatch.setattr("sys.argv", ["manage.py", name])
        commands._run(name)
    assert order == ["up to date", "simulate", "up to date", "shell", "migrate", "bench"]


def test_before_the_first_start_there_is_an_address_that_nobody_answers_at(tmp_path: Path) -> None:
    assert embedded.known_urls(tmp_path).database == "postgres://127.0.0.1:1/fastloop"
