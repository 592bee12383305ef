"""A page that lost its line while a run trained shows, once the line is back, all that was said meanwhile."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from tests.console import Console
from tests.loops import new_loop

pytestmark = pytest.mark.journey


def test_after_a_lost_socket_the_log_has_no_gap(console: Console, signed_in: Callable[..., Page]) -> None:
    page = signed_in("lin")
    down = True

    def line(route: WebSocketRoute) -> None:
        if down:
            route.close()
        else:
            route.connect_to_server()

    page.route_web_socket("**/ws/**", line)
    with console.client("lin") as lin:
        loop = new_loop(console, lin, "Lost line", count=400)
        console.kill("training")  # until it is back the run waits, so that the page is there before the first step
        run_id = loop.start_run()
        page.goto(f"/projects/{loop.id}/models/runs/{run_id}/")
        expect(page.locator("[data-live='off']").first).to_be_visible()
        judged = console.judged(lin, run_id, within_s=120)
        assert len(judged["log"]) > 3
        log = page.locator("#log")
        expect(log).not_to_contain_text(judged["log"][-1])  # nothing came through
        down = False
        for said in console.get(lin, f"runs/{run_id}/")["log"]:
            expect(log).to_contain_text(said)
        expect(page.locator("#progress")).to_contain_text("Trained in")
        expect(page.locator("[data-live='on']").first).to_be_visible()
