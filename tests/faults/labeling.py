"""A person at the desk who answers what is true, as a browser does: nothing is given up before it is acknowledged."""

import json
import re
import time
import uuid
from dataclasses import dataclass, field

import httpx

from tests import digits
from tests.console import Console

PATIENCE_S = 40.0


@dataclass
class Desk:
    """What was acknowledged, and how long each acknowledged request took."""

    console: Console
    client: httpx.Client
    project_id: int
    acknowledged: dict[str, str] = field(default_factory=dict)  # external id -> label
    seconds: list[float] = field(default_factory=list)
    failures: int = 0

    def answered_today(self) -> int:
        """As the page says it: replies in between leave the count to the desk."""
        page = self.client.get(f"/projects/{self.project_id}/label/").text
        found = re.search(r'<script id="progress" type="application/json">(.*?)</script>', page)
        assert found is not None
        return int(json.loads(found.group(1))["today"])

    def answer(self, count: int) -> None:
        """Lease and answer `count` examples; what fails is sent again with the same client id."""
        for _ in range(count):
            leased = self._insist("next", {"count": 1})["assignments"][0]
            external_id = leased["example"]["external_id"]
            told = {"client_id": str(uuid.uuid4()), "assignment": leased["id"], "token": leased["token"]}
            self._insist("answer", {**told, "label": digits.truth(external_id)})
            self.acknowledged[external_id] = digits.truth(external_id)

    def _insist(self, what: str, body: dict[str, object]) -> dict[str, list[dict[str, dict[str, str]]]]:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            began = time.monotonic()
            try:
                reply = self._post(what, body)
                if reply.status_code == 200:
                    self.seconds.append(time.monotonic() - began)
                    return dict(reply.json())
                assert reply.status_code >= 500, reply.text[:500]
            except httpx.HTTPError:
                pass
            self.failures += 1
            assert time.monotonic() < deadline, f"No answer within {PATIENCE_S:.0f} s."
            time.sleep(0.2)

    def _post(self, what: str, body: dict[str, object]) -> httpx.Response:
        address = f"/projects/{self.project_id}/label/{what}/"
        return self.client.post(address, json=body, headers={"Accept": "application/json"}, timeout=15)

    def stored(self) -> dict[str, str]:
        """The resolved labels by external id; fails where one stands there twice."""
        with self.console.client("lin") as lin:
            found = self.console.get(lin, f"projects/{self.project_id}/labels/?page_size=1000")["results"]
        by_id = {x["external_id"]: x["label"] for x in found}
        assert len(by_id) == len(found)
        return by_id
