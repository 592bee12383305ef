"""The loop's own figures: first page, idle memory, digits in ten rounds, banking77 in full, last label to new champion.

Everything runs on a home folder of its own, on ports of its own, beside nothing else: figures of a busy machine are noise.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import psutil

from fastloop_console.machine import child, env, lifeline
from fastloop_console.machine.ports import free_ports

BANKING = env.ROOT.parent / "shared/data/banking77.parquet"
SAID_AFTER_S = 5.0
SETTLE_S = 45.0  # the demo is played, then the workers fall idle
Say = Callable[[str], None]


def run(*, say: Say) -> dict[str, Any]:
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="fastloop-bench-") as folder:
        os.chmod(folder, 0o755)
        found |= first_page(Path(folder) / "up", say)
        found |= digits(Path(folder) / "digits", say)
        found |= banking(Path(folder) / "banking", say) if BANKING.exists() else {"banking77": "skipped: no such file"}
    return found


def first_page(home: Path, say: Say) -> dict[str, Any]:
    """`make run` on an installed tree with an empty home: seconds to the sign-in page, then the memory of it all at rest."""
    port, predictor = free_ports(2)
    began = time.monotonic()
    console = subprocess.Popen(
        ["make", "--silent", "run"],
        cwd=env.ROOT,
        **lifeline.tied(_own(home, PORT=port, PREDICTOR_PORT=predictor)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        _wait_for(f"http://127.0.0.1:{port}/sign-in/", console, say, within_s=120)
        first = time.monotonic() - began
        say(f"first page after {first:.1f} s")
        _wait_for(f"http://127.0.0.1:{predictor}/v2", console, say, within_s=120)
        all_ready = time.monotonic() - began
        assert console.stdout is not None
        for line in console.stdout:
            if line.startswith("demo") and "Waiting for" not in line:
                say(line.strip())
                break
        time.sleep(SETTLE_S)
        total, table = _memory(console.pid)
        for line in table:
            say(line)
        return {"first_page_s": round(first, 1), "all_ready_s": round(all_ready, 1), "idle_pss_mb": round(total)}
    finally:
        os.killpg(console.pid, signal.SIGINT)  # as Ctrl-C does: make alone would not pass it on
        try:
            console.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(console.pid, signal.SIGKILL)
        shutil.rmtree(home, ignore_errors=True)


def _memory(root: int) -> tuple[float, list[str]]:
    """PSS in MB of the console and everything below it; PostgreSQL and Redis are found by their parent's work folder."""
    parent = psutil.Process(root)
    processes = [parent, *parent.children(recursive=True)]
    home = parent.environ()["FASTLOOP_HOME"]
    processes += [p for p in psutil.process_iter() if p not in processes and _belongs(p, home)]
    rows = []
    for process in processes:
        try:
            rows.append((process.memory_full_info().pss / 1e6, _name(process.cmdline())))
        except psutil.NoSuchProcess:
            continue
    rows.sort(reverse=True)
    return sum(mb for mb, _ in rows), [f"{mb:7.0f} MB  {name}" for mb, name in rows if mb >= 5]


def _name(line: list[str]) -> str:
    """What runs, without the launcher and its home before it."""
    return " ".join(line[line.index(child.MODULE) + 3 :] if child.MODULE in line else line)[:90]


def _belongs(process: psutil.Process, home: str) -> bool:
    try:
        line = " ".join(process.cmdline())
        if home in line:
            return True
        ancestor = process.parent()
        return "postgres" in line and ancestor is not None and home in " ".join(ancestor.cmdline())
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False


def digits(home: Path, say: Say) -> dict[str, Any]:
    lines, seconds = _simulate(home, say, "digits", "--rounds", "10", "--labels-per-round", "50")
    last = lines[-2]
    return {
        "digits_s": seconds,
        "digits_labels": last["labels"],
        "digits_accuracy": last["accuracy"],
        "digits_data_to_deploy_s": max(x["data_to_deploy_s"] for x in lines[1:-1] if x["data_to_deploy_s"]),
    }


def banking(home: Path, say: Say) -> dict[str, Any]:
    """All train rows labeled and trained once in full, then rounds of 50 labels, incremental, with 10,003 texts in the pool."""
    lines, seconds = _simulate(
        home, say, str(BANKING), "--rounds", "1", "--labels-per-round", "10003", "--kind", "full", "--annotators", "4"
    )
    full = lines[0]
    rounds, _ = _simulate(home, say, str(BANKING), "--rounds", "4", "--labels-per-round", "200")
    incremental = [x["data_to_deploy_s"] for x in rounds if x.get("kind") == "incremental" and x["data_to_deploy_s"]]
    return {
        "banking77_s": seconds,
        "banking77_labels": full["labels"],
        "banking77_accuracy": full["accuracy"],
        "banking77_train_s": full["seconds"]["train"],
        "embed_texts_per_s": _embedding_rate(home),
        "data_to_deploy_s": max(incremental) if incremental else None,
    }


def _embedding_rate(home: Path) -> float | None:
    """From the worker's own line about the texts it embedded."""
    rates = [
        float(line.rsplit(", ", 1)[1].split()[0].replace(",", ""))
        for line in (home / "simulate.log").read_text().splitlines()
        if "examples embedded in" in line and int(line.split(" examples embedded")[0].rsplit(" ", 1)[1]) > 1000
    ]
    return max(rates) if rates else None


def _simulate(home: Path, say: Say, *arguments: str) -> tuple[list[dict[str, Any]], float]:
    home.mkdir(parents=True, exist_ok=True)
    manage = [sys.executable, "manage.py"]
    began = time.monotonic()
    with (home / "simulate.log").open("a") as log:
        done = subprocess.run(
            [*manage, "simulate", *arguments, "--json"],
            cwd=env.ROOT,
            **lifeline.tied(_own(home)),
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    seconds = round(time.monotonic() - began, 1)
    if done.returncode:
        raise RuntimeError("\n".join((home / "simulate.log").read_text().splitlines()[-15:]))
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    say(f"simulate {' '.join(arguments)}: {seconds} s")
    for line in lines:
        say(json.dumps(line))
    return lines, seconds


def _own(home: Path, **more: object) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL", "STORAGE_URL")}
    return {**kept, "FASTLOOP_HOME": str(home), **{k: str(v) for k, v in more.items()}}


def _wait_for(url: str, console: "subprocess.Popen[str]", say: Say, *, within_s: float) -> None:
    """Says after 5 s what it waits for. Raises RuntimeError in time, and at once where the console has ended."""
    began, said = time.monotonic(), False
    while time.monotonic() < began + within_s:
        if console.poll() is not None:
            raise RuntimeError(f"The console ended with {console.returncode} before {url} answered.")
        if not said and time.monotonic() > began + SAID_AFTER_S:
            said = True
            say(f"waiting for {url}")
        try:
            if httpx.get(url, timeout=2).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    raise RuntimeError(f"{url} did not answer within {within_s:.0f} s.")
