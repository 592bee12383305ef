"""A console in one file, and back: the database as it is at one moment, the files that it names, and the key of its sessions.

Works while the console runs: the database's copy is of one moment, and files are written before a row names them.
"""

import io
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

from fastloop_console.machine import env, place
from fastloop_console.machine.refusals import CannotStart

DUMP, FILES, KEY, ABOUT = "database.dump", "storage", "secret_key", "about.json"
FORMAT = 1


class BackupRefused(CannotStart):
    """It cannot be made or put back; the sentence says why, and nothing was changed."""


def backup(*, to: Path, database: Mapping[str, Any], at: datetime, heads: Mapping[str, Any]) -> int:
    """Write the file, for its owner alone, with the `heads` of the audit trails in what it says of itself; its size in bytes.

    Raises BackupRefused where one stands there already."""
    if to.exists():
        raise BackupRefused(f"{to} is there already; name a new file.")
    half = to.with_name(f"{to.name}.part")
    try:
        with place.written_below(to.parent), tempfile.TemporaryDirectory(dir=to.parent) as folder:
            dump = Path(folder) / DUMP
            _run("pg_dump", database, "--format=custom", "--no-owner", f"--file={dump}", str(database["NAME"]))
            about = {"format": FORMAT, "code": env.code_version(), "at": at.isoformat(), "root": env.storage_url()}
            about["audit"] = dict(heads)
            with open(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
                _pack(out, dump, about)
            half.rename(to)
    finally:
        half.unlink(missing_ok=True)
    return to.stat().st_size


def _pack(out: io.BufferedWriter, dump: Path, about: Mapping[str, Any]) -> None:
    with tarfile.open(fileobj=out, mode="w") as tar:
        words = json.dumps(about).encode()
        head = tarfile.TarInfo(ABOUT)
        head.size = len(words)
        tar.addfile(head, io.BytesIO(words))
        tar.add(dump, DUMP)
        if (key := env.home() / KEY).exists():
            tar.add(key, KEY)
        if (files := _files()) and files.exists():
            tar.add(files, FILES)


def restore(*, given: Path, database: Mapping[str, Any], empty: bool) -> dict[str, Any]:
    """Put it back into an empty console; what the file says of itself. Raises BackupRefused, and then changes nothing."""
    if not empty:
        raise BackupRefused(
            "This console has data. A backup is put back into an empty one: set FASTLOOP_HOME to a new folder."
        )
    with _opened(given) as tar, tempfile.TemporaryDirectory(dir=env.home()) as folder:
        about = _about(tar, given)
        tar.extractall(folder, members=_plain_members(tar, given))
        _run(
            "pg_restore",
            database,
            "--no-owner",
            "--exit-on-error",
            "--single-transaction",
            f"--dbname={database['NAME']}",
            str(Path(folder) / DUMP),
        )
        if (key := Path(folder) / KEY).exists():
            key.replace(env.home() / KEY)
        if (files := Path(folder) / FILES).exists() and (root := _files()):
            shutil.copytree(files, root, dirs_exist_ok=True)
    return about


def addresses_moved(cursor: Any, *, old: str, new: str) -> int:
    """Files that rows name below the old root lie below the new one; how many addresses changed. Of a Django cursor."""
    cursor.execute(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
        " AND column_name LIKE '%%url' AND data_type IN ('text', 'character varying')",
        [],
    )
    changed = 0
    for table, column in cursor.fetchall() if old != new else ():
        cursor.execute(
            f'UPDATE "{table}" SET "{column}" = %s || substr("{column}", %s) WHERE starts_with("{column}", %s)',
            [new, len(old) + 1, f"{old}/"],
        )
        changed += cursor.rowcount
    return changed


def _opened(given: Path) -> tarfile.TarFile:
    try:
        return tarfile.open(given)
    except (OSError, tarfile.TarError) as cause:
        raise BackupRefused(f"{given} cannot be read as a backup: {cause}.") from cause


def _about(tar: tarfile.TarFile, given: Path) -> dict[str, Any]:
    try:
        found = tar.extractfile(ABOUT)
        about = dict(json.load(found)) if found else {}
    except (KeyError, ValueError):
        about = {}
    if about.get("format") != FORMAT:
        raise BackupRefused(f"{given} is no backup of a console, or of a newer one.")
    return about


def _plain_members(tar: tarfile.TarFile, given: Path) -> list[tarfile.TarInfo]:
    """Files and folders below the place they are put in: Python before 3.11.4 does not see to that by itself."""
    members = tar.getmembers()
    for each in members:
        way = PurePosixPath(each.name)
        if way.is_absolute() or ".." in way.parts or not (each.isfile() or each.isdir()):
            raise BackupRefused(
                f"{given} holds “{each.name[:80]}”, which no backup of a console does. Nothing was changed."
            )
    return members


def _files() -> Path | None:
    """The folder of files; None where they lie in a store, which has copies of its own."""
    url = env.storage_url()
    return Path(url.removeprefix("file://")) if url.startswith("file://") else None


def _run(program: str, database: Mapping[str, Any], *arguments: str) -> None:
    where = place.read(env.home())
    own = Path(where.postgres_bin) / program if where else None
    found = str(own) if own and own.exists() else shutil.which(program)
    if found is None:
        raise BackupRefused(f"{program} is not on this machine; install PostgreSQL's client programs.")
    asked = {"PGHOST": database["HOST"], "PGPORT": database["PORT"], "PGUSER": database["USER"]}
    secret = {"PGPASSWORD": database["PASSWORD"]}
    given = {name: str(value) for name, value in (asked | secret).items() if value}
    done = subprocess.run([found, *arguments], env={**os.environ, **given}, capture_output=True, text=True)
    if done.returncode:
        raise BackupRefused(f"{program} failed, and nothing was kept: {done.stderr.strip()[:400]}")
