"""`manage.py`: the servers run and the database is up to date for as long as a command needs them, and every refusal is a
sentence. A command that is asked to stop (Ctrl-C, SIGTERM, a closed terminal) ends what it started first.
"""

import contextlib
import os
import signal
import sys
from types import FrameType

from fastloop_console.machine import embedded, env, lifeline, migrations
from fastloop_console.machine.refusals import CannotStart

WITHOUT_DATABASE = {
    "help",
    "version",
    "--help",
    "--version",
    "makemigrations",
    "collectstatic",
    "predictor_key",
    "spectacular",
    "compilemessages",
    "makemessages",
}
OWN_SERVERS = {"bench"}  # it starts its own
MIGRATES = {"migrate"}  # alone, and a database of the user's own too
LOOKS = {
    "showmigrations",
    "sqlmigrate",
    "squashmigrations",
    "optimizemigration",
    "dbshell",
    "inspectdb",
    "restore",
    "check",
    "test",
}


def main() -> int | str:
    """The exit status, or the sentence to end with."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fastloop_console.settings.local")
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # nohup
            signal.signal(number, _leave)
    lifeline.follow()
    name = sys.argv[1] if len(sys.argv) > 1 else "help"
    try:
        if name == "up":
            return _up(sys.argv[2:])
        with _servers(name):
            _run(name)
    except CannotStart as refused:
        return str(refused)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return 0


def _up(given: list[str]) -> int | str:
    """It takes no arguments, so one that is given was meant for something: help, or a setting that has another place."""
    from fastloop_console.machine import up

    if {"-h", "--help"} & set(given):
        print(up.__doc__.strip().splitlines()[0], "Settings are variables of the environment: .env.example lists them.")
        return 0
    if given:
        return f"up takes no arguments, and {given[0]} is one. PORT and the other settings are variables of the environment."
    return up.main()


def _servers(name: str) -> contextlib.AbstractContextManager[object]:
    own = bool(env.database_url() and env.redis_url())
    needed = name not in WITHOUT_DATABASE | OWN_SERVERS and not own and not {"-h", "--help"} & set(sys.argv[2:])
    return embedded.running(env.home()) if needed else contextlib.nullcontext()


def _run(name: str) -> None:
    import django
    from django.conf import settings
    from django.core.management import execute_from_command_line

    if name in WITHOUT_DATABASE:  # makemigrations would ask a server that does not run
        settings.DATABASES["default"] = {"ENGINE": "django.db.backends.dummy"}
    elif name not in OWN_SERVERS | MIGRATES | LOOKS and not {"-h", "--help"} & set(sys.argv[2:]):
        django.setup()
        migrations.bring_up_to_date()
    with migrations.one_at_a_time() if name in MIGRATES else contextlib.nullcontext():
        execute_from_command_line(sys.argv)


def _leave(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)
