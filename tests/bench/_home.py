"""A bench on a home of its own: servers are started for it, and it runs again in a process that has their addresses."""

import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from fastloop_console.machine import embedded, env, lifeline

INSIDE = "FASTLOOP_BENCH_INSIDE"  # set in that process
PRODUCTION = {"DJANGO_SETTINGS_MODULE": "fastloop_console.settings.production"}


def is_inside() -> bool:
    return bool(os.environ.get(INSIDE))


def inside_of(bench: str, *arguments: object, **more: str) -> dict[str, Any]:
    """What `bench` finds there. `more` are further settings of the process. Nothing of the home stays."""
    home = Path(tempfile.mkdtemp(prefix="fastloop-bench-"))
    home.chmod(0o755)  # as root, PostgreSQL's own user must reach its data below
    (home / "static").mkdir()
    try:
        with embedded.running(home) as urls:
            own = {
                **os.environ,
                INSIDE: "1",
                "FASTLOOP_HOME": str(home),
                "DATABASE_URL": urls.database,
                "REDIS_URL": urls.redis,
                "SECRET_KEY": secrets.token_hex(32),
                "STORAGE_URL": f"file://{home}/storage",
                **more,
            }
            again = [sys.executable, "manage.py", "bench", bench, "--json", *map(str, arguments)]
            done = subprocess.run(
                again, cwd=env.ROOT, **lifeline.tied(own), stdout=subprocess.PIPE, text=True, check=True
            )
        return dict(json.loads(done.stdout.strip().splitlines()[-1]))
    finally:
        shutil.rmtree(home, ignore_errors=True)
