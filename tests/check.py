"""`make check`: what CI asks for, part by part, with how long each took; its last line is pytest's, summed over all parts.

All parts run side by side. Consoles and browsers measure seconds, so they come first wherever two want a core; the rest, which only
computes, takes what they leave and then has both cores. Every part runs, whatever another one found; the first status that is not 0
is the status of the whole.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

BIN = Path(sys.executable).parent
ALONE = "journey or fault or live"
TYPES = [[f"{BIN}/mypy", "apps", "fastloop_console", "workers"]]
MANNERS = [
    [f"{BIN}/ruff", "check", "."],
    [f"{BIN}/ruff", "format", "--check", "."],
    [f"{BIN}/lint-imports"],
    [sys.executable, "manage.py", "makemigrations", "--check", "--dry-run"],
]
PYTEST = [sys.executable, "-m", "pytest", "-q", "--durations=10"]
CONSOLES = [*PYTEST, "-m", ALONE]
TESTS = [*PYTEST, "-n", "2", "--dist", "worksteal", "-m", f"not ({ALONE})"]
COUNTED = ("failed", "passed", "skipped", "errors")  # in the order in which pytest says them


@dataclass(frozen=True)
class Part:
    name: str
    status: int
    seconds: float
    words: str = ""


def run(name: str, commands: Iterable[list[str]], *, nice: int = 0, shown: bool = False) -> Part:
    """Run one after the other, up to the first whose status is not 0. What was printed is kept, or shown at once."""
    began, words, status = time.monotonic(), "", 0
    for command in commands:
        out = None if shown else subprocess.PIPE
        after = ["nice", "-n", str(nice), *command] if nice else command
        done = subprocess.run(after, stdout=out, stderr=None if shown else subprocess.STDOUT, text=True)
        words, status = words + (done.stdout or ""), done.returncode
        if status:
            break
    return Part(name, status, time.monotonic() - began, words)


def counted(reports: Iterable[Path]) -> dict[str, int]:
    """How many tests ended how, by pytest's own reports; a run that ended without one is an error."""
    counts = dict.fromkeys(COUNTED, 0)
    for report in reports:
        if not report.exists():
            counts["errors"] += 1
            continue
        for suite in ElementTree.parse(report).iter("testsuite"):
            failed, errors, skipped, tests = (int(suite.get(k, 0)) for k in ("failures", "errors", "skipped", "tests"))
            counts["failed"] += failed
            counts["errors"] += errors
            counts["skipped"] += skipped
            counts["passed"] += tests - failed - errors - skipped
    return counts


def closing(counts: dict[str, int], seconds: float) -> str:
    """As pytest ends: `2 failed, 3050 passed, 3 skipped in 583.20s (0:09:43)`."""
    said = ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "no tests ran"
    whole = int(seconds)
    return f"{said} in {seconds:.2f}s ({whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d})"


def main() -> int:
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # or each of a hundred processes compiles everything anew
    began, parts = time.monotonic(), list[Part]()
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor() as together:
        reports = [Path(folder) / "consoles.xml", Path(folder) / "tests.xml"]
        beside = [
            together.submit(run, "style, imports, migrations", MANNERS, nice=10),
            together.submit(run, "types", TYPES, nice=10),
            together.submit(run, "tests", [[*TESTS, f"--junitxml={reports[1]}"]], nice=19),
        ]
        parts.append(run("consoles and browsers", [[*CONSOLES, f"--junitxml={reports[0]}"]], shown=True))
        for part in as_completed(beside):
            parts.append(part.result())
            print(parts[-1].words, flush=True)
        counts = counted(reports)
    for part in parts:
        print(f"{part.seconds:6.0f} s  {part.name}{': FAILED' if part.status else ''}", flush=True)
    print(closing(counts, time.monotonic() - began), flush=True)
    return next((part.status for part in parts if part.status), 0)


if __name__ == "__main__":
    sys.exit(main())
