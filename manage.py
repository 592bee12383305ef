#!/usr/bin/env python
"""Django's command line. Without DATABASE_URL and REDIS_URL the embedded servers run for as long as the command does."""

import contextlib
import os
import sys

WITHOUT_SERVERS = {
    "help",
    "version",
    "--help",
    "--version",
    "makemigrations",
    "bench",  # starts its own
    "collectstatic",
    "spectacular",
    "compilemessages",
}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fastloop_console.settings.local")
    from fastloop_console.machine import embedded, env

    if sys.argv[1:2] == ["up"]:
        from fastloop_console.machine.up import main as up

        sys.exit(up())
    needs_servers = len(sys.argv) > 1 and sys.argv[1] not in WITHOUT_SERVERS
    own_servers = env.database_url() and env.redis_url()
    try:
        with embedded.running(env.home()) if needs_servers and not own_servers else contextlib.nullcontext():
            from django.core.management import execute_from_command_line

            execute_from_command_line(sys.argv)
    except embedded.ServersUnavailable as refused:
        sys.exit(str(refused))


if __name__ == "__main__":
    main()
