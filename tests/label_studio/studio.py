"""A real Label Studio in a process of its own, on SQLite, and the few calls of its API that tests need."""

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from fastloop_console.machine.env import ROOT
from fastloop_console.machine.ports import free_ports
from tests.console import until

STUDIO = ROOT / ".venv-label-studio" / "bin" / "label-studio"
TOKEN = "0123456789abcdef" * 2 + "01234567"
UP_WITHIN_S = 240.0
SETTINGS = {
    "LABEL_STUDIO_USERNAME": "ada@example.org",
    "LABEL_STUDIO_PASSWORD": "correct-horse",
    "LABEL_STUDIO_USER_TOKEN": TOKEN,
    "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
    "ML_BLOCK_LOCAL_IP": "false",
    "SSRF_PROTECTION_ENABLED": "false",
    "COLLECT_ANALYTICS": "false",
    "LATEST_VERSION_CHECK": "false",
    "SENTRY_DSN": "",
}


class Studio:
    def __init__(self, client: httpx.Client) -> None:
        self.client = client

    def get(self, address: str) -> Any:
        return self._read(self.client.get(f"/api/{address}"))

    def post(self, address: str, body: Any) -> Any:
        return self._read(self.client.post(f"/api/{address}", json=body))

    def patch(self, address: str, body: Any) -> Any:
        return self._read(self.client.patch(f"/api/{address}", json=body))

    @staticmethod
    def _read(answer: httpx.Response) -> Any:
        assert answer.status_code < 300, f"{answer.request.url} answers {answer.status_code}: {answer.text[:800]}"
        return answer.json()


@contextlib.contextmanager
def running_studio() -> Iterator[Studio]:
    [port] = free_ports(1)
    with tempfile.TemporaryDirectory(prefix="fastloop-studio-") as folder:
        log = Path(folder) / "studio.log"
        settings = {"PATH": os.environ["PATH"], "HOME": folder, "LABEL_STUDIO_BASE_DATA_DIR": folder, **SETTINGS}
        command = [STUDIO, "start", "--no-browser", "--internal-host", "127.0.0.1", "-p", str(port), "--init", "-b"]
        with log.open("wb") as out:
            process = subprocess.Popen(command, cwd=folder, env=settings, stdout=out, stderr=subprocess.STDOUT)
        headers = {"Authorization": f"Token {TOKEN}"}
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=60) as client:
                until(
                    lambda: _is_up(client, process, log),
                    "Label Studio does not answer",
                    within_s=UP_WITHIN_S,
                    every_s=1,
                )
                yield Studio(client)
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)


def _is_up(client: httpx.Client, process: "subprocess.Popen[bytes]", log: Path) -> bool:
    assert process.poll() is None, log.read_text(errors="replace")[-3000:]
    with contextlib.suppress(httpx.HTTPError):
        return client.get("/health").status_code == 200
    return False
