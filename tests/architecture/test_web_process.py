"""The web process stays light: what it imports decides how fast it starts and how much memory a copy takes."""

import json
import subprocess
import sys

from fastloop_console.machine.env import ROOT

HEAVY = ("torch", "transformers", "sentence_transformers", "kserve", "sklearn", "pandas", "deltalake", "workers")

LOOK = f"""
import json, pkgutil, sys
from importlib import import_module
import fastloop_console.asgi, fastloop_console.urls
import apps
names = [m.name for m in pkgutil.walk_packages(apps.__path__, "apps.") if ".migrations" not in m.name]
for name in names:
    import_module(name)
from django.urls import get_resolver
get_resolver().check()
print(json.dumps({{"imported": names, "heavy": [m for m in {HEAVY} if m in sys.modules]}}))
"""


def test_the_web_process_never_loads_torch_or_what_only_workers_need() -> None:
    done = subprocess.run([sys.executable, "-c", LOOK], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert {"apps.loop.api", "apps.releases.views", "apps.labeling.desk.views", "apps.live.consumers"} <= set(
        found["imported"]
    )
    assert found["heavy"] == []
