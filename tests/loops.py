"""A project of digits on a running console, driven over the API by its engineer."""

from dataclasses import dataclass
from typing import Any

import httpx

from tests import digits
from tests.console import Console, until

REASON = "Promoted by a test, whatever the holdout said."


@dataclass(frozen=True)
class Loop:
    """A project of digits on a console, seen by its engineer."""

    console: Console
    lin: httpx.Client
    id: int
    slug: str

    def start_run(self) -> int:
        return int(self.console.post(self.lin, f"projects/{self.id}/runs/", kind="full")["id"])

    def new_version(self) -> dict[str, Any]:
        """Train in full to the verdict."""
        run = self.console.judged(self.lin, self.start_run(), within_s=120)
        assert run["state"] == "completed", run
        return until(lambda: self.version_of(run["id"]), "the judged run became no model")

    def version_of(self, run_id: int) -> dict[str, Any]:
        """Its model; empty for the moment between the report and the number."""
        return next((v for v in self.versions() if v["run_id"] == run_id), {})

    def versions(self) -> list[dict[str, Any]]:
        return list(self.console.get(self.lin, f"projects/{self.id}/models/")["results"])

    def champion(self) -> int | None:
        return next((v["number"] for v in self.versions() if "champion" in v["aliases"]), None)

    def promote(self, version: dict[str, Any]) -> httpx.Response:
        return self.lin.post(f"/api/v1/models/{version['id']}/promote/", json={"reason": REASON})

    def ask(self, client: httpx.Client) -> httpx.Response:
        address = f"{self.console.predictor_url}/v2/models/{self.slug}/infer"
        question = digits.question([digits.all_digits()[0][0]])
        return client.post(address, json=question, headers=self.console.predictor_headers)

    def serves(self) -> str:
        """The version that answers; empty while nobody does."""
        try:
            with httpx.Client(timeout=5) as client:
                answer = self.ask(client)
            return str(answer.json()["model_version"]) if answer.status_code == 200 else ""
        except httpx.HTTPError:
            return ""


def new_loop(console: Console, lin: httpx.Client, name: str, *, count: int) -> Loop:
    """A project with `count` labeled digits, a fifth of them in the holdout; only the test starts its runs."""
    labels = [{"name": digit} for digit in digits.NAMES]
    made = console.post(lin, "projects/", name=name, task_type="image-classification", labels=labels, holdout_share=0.2)
    by_itself = lin.patch(f"/api/v1/projects/{made['id']}/trigger/", json={"enabled": False})
    assert by_itself.status_code == 200, by_itself.text[:500]
    taken = console.post(lin, f"projects/{made['id']}/examples/", examples=digits.batch(count))
    assert taken["rows_taken"] == count, taken
    return Loop(console, lin, made["id"], made["slug"])
