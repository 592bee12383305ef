"""Run the console's processes side by side: names before their lines, a dead one started again, all of them stopped at the end.

A child that dies is started again because a killed worker is an everyday event here: its run goes on from the checkpoint.
Each ends with this process, however that ends.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import TextIO

from fastloop_console.machine import env, lifeline
from fastloop_console.machine.child import command

COLORS = (36, 33, 35, 32, 34, 31)
STOP_WITHIN_S = 12.0  # then the child is killed
QUICK_DEATH_S = 5.0
MOST_QUICK_DEATHS = 5  # in a row: it will not come up, and the person must read why


@dataclass
class Child:
    name: str
    module: Sequence[str]
    env: Mapping[str, str]
    color: int
    process: subprocess.Popen[str] | None = None
    started_at: float = 0.0
    quick_deaths: int = 0
    threads: list[threading.Thread] = field(default_factory=list)


class Supervisor:
    def __init__(self, *, width: int = 10, stream: TextIO = sys.stdout) -> None:
        self.children: list[Child] = []
        self.gave_up = ""  # the child that does not stay up
        self._stopping = threading.Event()
        self._printing = threading.Lock()
        self._width, self._stream = width, stream
        self._adopted: list[subprocess.Popen[str]] = []

    def add(self, name: str, module: Sequence[str], more: Mapping[str, str]) -> None:
        """`module` is run as `python -m` would, its arguments after its name; `more` is added to the environment."""
        color = COLORS[len(self.children) % len(COLORS)]
        own = {"PYTHONUNBUFFERED": "1", "FASTLOOP_HOME": str(env.home())}  # a relative one would lose its folder
        self.children.append(Child(name, module, {**os.environ, **more, **own}, color))
        self._width = max(self._width, len(name))

    def adopt(self, process: "subprocess.Popen[str]") -> None:
        """A process that ends by itself and is not started again; it is stopped with the others."""
        self._adopted.append(process)

    def start(self) -> None:
        for child in self.children:
            self._start(child)

    def run(self) -> int:
        """Start everything and stay until Ctrl-C, SIGTERM, or a child that cannot live. Returns the exit status."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) != signal.SIG_IGN:  # nohup
                signal.signal(number, self._asked_to_stop)
        self.start()
        status = 0
        while not self._stopping.wait(0.2):
            if not self.look_after():
                status = 1
                break
        self.stop()
        return status

    def look_after(self) -> bool:
        """Start again what died; False when a child died too often too fast."""
        for child in self.children:
            process = child.process
            if process is None or process.poll() is None:
                continue
            quick = time.monotonic() - child.started_at < QUICK_DEATH_S
            child.quick_deaths = child.quick_deaths + 1 if quick else 0
            self.say("console", f"{child.name} ended with {process.returncode}; starting it again", child.color)
            if child.quick_deaths >= MOST_QUICK_DEATHS:
                self.gave_up = child.name
                self.say(
                    "console", f"{child.name} does not stay up. Its lines above say why; everything stops now.", 31
                )
                return False
            self._start(child)
        return True

    def stop(self) -> None:
        self._stopping.set()
        known = [*self._adopted, *(c.process for c in self.children if c.process is not None)]
        alive = [process for process in known if process.poll() is None]
        for process in alive:
            process.terminate()
        deadline = time.monotonic() + STOP_WITHIN_S
        for process in alive:
            try:
                process.wait(max(deadline - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                _kill(process)

    def say(self, name: str, line: str, color: int = 0) -> None:
        plain = f"{name:<{self._width}} | "
        prefix = f"\x1b[{color}m{plain}\x1b[0m" if color and self._stream.isatty() else plain
        with self._printing:
            print(f"{prefix}{line}", file=self._stream, flush=True)

    def _start(self, child: Child) -> None:
        child.started_at = time.monotonic()
        child.process = subprocess.Popen(
            command(env.home(), os.getpid(), *child.module),
            **lifeline.tied(child.env),
            cwd=env.ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            bufsize=1,
            start_new_session=True,
        )
        thread = threading.Thread(target=self._relay, args=(child, child.process), daemon=True)
        thread.start()
        child.threads.append(thread)

    def _relay(self, child: Child, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self.say(child.name, line.rstrip("\n"), child.color)

    def _asked_to_stop(self, number: int, frame: FrameType | None) -> None:
        if self._stopping.is_set():
            return
        self._stopping.set()
        self.say("console", "stopping")


def _kill(process: "subprocess.Popen[str]") -> None:
    """With the processes that it started: it leads a group of its own, and nobody else would end them."""
    if os.getpgid(process.pid) == process.pid:
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()
