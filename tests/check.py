"""`make check`: what CI asks for, part by part, with how long each took. Stops at the first part that fails.

What needs no database runs side by side, since types alone keep one core busy for a minute; the tests share both cores;
what starts whole consoles and measures seconds runs alone, after the rest.
"""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

BIN = Path(sys.executable).parent
ALONE = "journey or fault or live"
QUICK = f"not ({ALONE})"
TYPES = [[f"{BIN}/mypy", "apps", "fastloop_console", "workers"]]
MANNERS = [
    [f"{BIN}/ruff", "check", "."],
    [f"{BIN}/ruff", "format", "--check", "."],
    [f"{BIN}/lint-imports"],
    [sys.executable, "manage.py", "makemigrations", "--check", "--dry-run"],
]
TESTS = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "worksteal", "--durations=10", "-m", QUICK]
CONSOLES = [sys.executable, "-m", "pytest", "-q", "--durations=10", "-m", ALONE]


def told(commands: list[list[str]]) -> tuple[int, str, float]:
    """Run one after the other; the first status that is not 0, what was printed, and seconds."""
    began, words = time.monotonic(), ""
    for command in commands:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        words += done.stdout
        if done.returncode:
            return done.returncode, words, time.monotonic() - began
    return 0, words, time.monotonic() - began


def main() -> int:
    took: dict[str, float] = {}
    with ThreadPoolExecutor() as together:
        parts = {"types": together.submit(told, TYPES), "style, imports, migrations": together.submit(told, MANNERS)}
    for name, part in parts.items():
        status, words, took[name] = part.result()
        print(words, flush=True)
        if status:
            return status
    began = time.monotonic()
    status = subprocess.run(TESTS).returncode
    took["tests"] = time.monotonic() - began
    for name, seconds in took.items():
        print(f"{seconds:6.0f} s  {name}", flush=True)
    print("        consoles and browsers: below", flush=True)
    return status or subprocess.run(CONSOLES, env=os.environ).returncode


if __name__ == "__main__":
    sys.exit(main())
