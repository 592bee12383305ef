"""A console goes into one file and comes back from it, with its files at their new addresses."""

import json
import os
import stat
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from fastloop_console.machine.env import ROOT
from tests.console import NOT_INHERITED, own_home

FILL = """
from django.utils import timezone
from apps.accounts.models import User
from apps.datasets.services import ingestion_open
from apps.datasets.models import Ingestion
from apps.integrations import wiring
from apps.loop.setup.services import project_open
from apps.projects.services import LabelSpec

alma = User.objects.create_user("alma", password="correct horse battery", is_superuser=True)
now = timezone.now()
mail = project_open(name="Mail", task_type="text-classification", labels=[LabelSpec("ham"), LabelSpec("spam")], by=alma, at=now)
sent = ingestion_open(project=mail, source="api", by=alma, at=now)
Ingestion.objects.filter(pk=sent.pk).update(url=wiring.storage().write("uploads/one.txt", b"hello"))
"""
LOOK = """
from apps.accounts.models import User
from apps.datasets.models import Ingestion
from apps.integrations import wiring
from apps.projects.models import Project

print("FOUND", Project.objects.get().name, User.objects.get().check_password("correct horse battery"))
print("FOUND", wiring.storage().read(Ingestion.objects.get().url).decode(), Ingestion.objects.get().url)
"""


def manage(home: Path, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=inherited | {"FASTLOOP_HOME": str(home)}, input=typed, capture_output=True, text=True
    )


def test_a_console_comes_back_from_its_backup_in_another_folder() -> None:
    with own_home() as first, own_home() as second:
        kept = first.parent / "kept.tar"
        assert manage(first, "shell", typed=FILL).returncode == 0
        made = manage(first, "backup", str(kept))
        assert made.returncode == 0 and "holds the console" in made.stdout, made.stderr
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        again = manage(first, "backup", str(kept))
        assert again.returncode == 1 and "is there already" in again.stderr and "Traceback" not in again.stderr
        assert "This console has data" in manage(first, "restore", str(kept)).stderr

        back = manage(second, "restore", str(kept))
        assert back.returncode == 0 and "is back" in back.stdout, back.stderr
        found = [line for line in manage(second, "shell", typed=LOOK).stdout.splitlines() if "FOUND" in line]
        assert found == ["FOUND Mail True", f"FOUND hello file://{second}/storage/uploads/one.txt"]
        assert (second / "secret_key").read_text() == (first / "secret_key").read_text()


def test_a_file_that_would_be_put_elsewhere_is_refused() -> None:
    with own_home() as home:
        given = home.parent / "given.tar"
        with tarfile.open(given, "w") as tar:
            (home / "about.json").write_text(
                json.dumps({"format": 1, "at": "2026-11-29T00:00:00", "root": "file:///x"})
            )
            tar.add(home / "about.json", "about.json")
            tar.add(home / "about.json", "../elsewhere")
        refused = manage(home, "restore", str(given))
        assert refused.returncode == 1 and "no backup of a console does" in refused.stderr
        assert not (home.parent / "elsewhere").exists()


@pytest.mark.parametrize("content", [b"no tar", None])
def test_what_is_no_backup_is_refused_in_a_sentence(content: bytes | None) -> None:
    with own_home() as home:
        given = home.parent / "given.tar"
        if content is None:
            with tarfile.open(given, "w") as tar:
                (home / "about.json").write_text(json.dumps({"format": 99}))
                tar.add(home / "about.json", "about.json")
        else:
            given.write_bytes(content)
        refused = manage(home, "restore", str(given))
        assert refused.returncode == 1 and "Traceback" not in refused.stderr
        assert "backup" in refused.stderr
