"""One console for all faults; each test leaves it whole. The demo is played first, so that its runs do not disturb."""

from collections.abc import Iterator

import httpx
import pytest

from tests.console import Console, running_console, until
from tests.loops import Loop, new_loop


@pytest.fixture(scope="session")
def console() -> Iterator[Console]:
    with running_console() as found:
        found.played()
        yield found


@pytest.fixture(scope="session")
def lin(console: Console) -> Iterator[httpx.Client]:
    with console.client("lin") as client:
        yield client


@pytest.fixture(scope="session")
def loop(console: Console, lin: httpx.Client) -> Loop:
    """A project whose first model serves."""
    made = new_loop(console, lin, "Faults", count=300)
    version = made.new_version()
    assert made.promote(version).status_code == 201
    until(lambda: made.serves() == str(version["number"]), "the first champion does not answer")
    return made
