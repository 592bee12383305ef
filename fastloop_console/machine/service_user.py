"""Whom PostgreSQL runs as: it refuses root, so root's console needs another user, and takes the first that there is.

In this order: the owner of data that is there already, the user `fastloop`, one made now, and `nobody`.
"""

import os
import pwd
import shutil
import subprocess
from pathlib import Path

from fastloop_console.machine.refusals import ServersUnavailable

NAME = "fastloop"
SYSTEM_FOLDERS = "/usr/sbin:/sbin"  # a plain `su` leaves them out of PATH
MAKERS = (  # shadow's, Debian's, busybox's; whichever is there and succeeds
    ("useradd", "--system", "--no-create-home", NAME),
    ("adduser", "--system", "--no-create-home", "--group", NAME),
    ("adduser", "-S", "-D", "-H", NAME),
)


def service_user(data: Path) -> dict[str, object]:
    """Arguments for subprocess that drop root's rights; nothing for an ordinary user. Raises ServersUnavailable."""
    if os.getuid() != 0:
        return {}
    person = _owner_of(data) or _known(NAME) or _made() or _known("nobody")
    if person is None:
        raise ServersUnavailable(
            f"PostgreSQL refuses to run as root, and no other user was found: make one called {NAME}, "
            "or set DATABASE_URL and REDIS_URL to servers of your own."
        )
    return {"user": person.pw_uid, "group": person.pw_gid, "extra_groups": []}


def refuse_unreachable(data: Path, binaries: Path, user: dict[str, object]) -> None:
    """Whether the user can walk to its data and run the programs. Raises ServersUnavailable with what to do."""
    if not user:
        return
    for path, wanted in ((binaries / "postgres", "-x"), (data, "-w")):
        looked = subprocess.run(["/bin/sh", "-c", f'test {wanted} "$0"', str(path)], cwd="/", **user)  # type: ignore[call-overload]
        if looked.returncode:
            name = pwd.getpwuid(int(str(user["user"]))).pw_name
            raise ServersUnavailable(
                f"PostgreSQL refuses to run as root, and the user {name} cannot reach {path}. Open the folders above it "
                "to all (chmod o+x), or set FASTLOOP_HOME to a folder that all may enter."
            )


def _owner_of(data: Path) -> pwd.struct_passwd | None:
    """PostgreSQL starts for the owner of its data only. Raises ServersUnavailable where that is root."""
    try:
        owner = (data / "PG_VERSION").stat().st_uid
    except OSError:
        return None
    if owner == 0:
        raise ServersUnavailable(f"PostgreSQL refuses to run as root, which owns {data}. Run: chown -R {NAME} '{data}'")
    try:
        return pwd.getpwuid(owner)
    except KeyError:
        raise ServersUnavailable(f"The data in {data} belongs to user {owner}, who is not on this machine.") from None


def _known(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _made() -> pwd.struct_passwd | None:
    """A user of the console's own, where this system has a program that makes users and it works."""
    for program, *arguments in MAKERS:
        path = shutil.which(program) or shutil.which(program, path=SYSTEM_FOLDERS)
        if path and subprocess.run([path, *arguments], capture_output=True).returncode == 0 and _known(NAME):
            break
    return _known(NAME)
