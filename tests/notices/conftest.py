"""What monitors, runs and laps write into the trail, and a mail server on this machine that does as it is told."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from apps.audit.models import Event
from apps.audit.services import event_record
from apps.audit.verbs import Verb
from apps.integrations import wiring
from apps.monitoring.models import Alert
from apps.monitoring.services import alert_raise
from apps.notices.hearing import notices_collect
from apps.projects.models import Project
from apps.rules.sentences import sentence
from tests.conftest import NOON
from tests.rows import Sent


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    jobs = Sent([])
    monkeypatch.setattr(wiring, "jobs", jobs)
    return jobs


@pytest.fixture
def drifted() -> Callable[..., Alert]:
    """A monitor sounds."""

    def raise_one(project: Project, *, kind: str = "drift", detail: str = "ham rose.", at: datetime = NOON) -> Alert:
        alert = alert_raise(project=project, kind=kind, title="Drift", detail=detail, check=None, at=at)
        assert alert is not None
        return alert

    return raise_one


@pytest.fixture
def happens() -> Callable[..., Event]:
    """An entry of the trail, as the service of that stage writes it."""
    subjects = {
        "run": "run",
        "sweep": "sweep",
        "verdict": "run",
        "rollout": "rollout",
        "lap": "lap",
        "model": "model v",
    }

    def write(project: Project, verb: Verb, *, n: int = 1, by: Any = None, at: datetime = NOON, **after: Any) -> Event:
        subject = subjects[verb.split(".")[0]]
        return event_record(
            project_id=project.pk,
            verb=verb,
            subject=f"{subject}{n}" if subject.endswith("v") else f"{subject} {n}",
            sentence=sentence("Run {number} failed.", number=n),
            by=by,
            at=at,
            after=after,
        )

    return write


@pytest.fixture
def collected() -> Callable[..., int]:
    return lambda at=NOON: notices_collect(at=at)


@dataclass
class MailServer:
    """`refuses` answers each recipient with this; `drips` says a letter at a time and never ends."""

    port: int = 0
    refuses: str = ""
    refuses_mail: str = ""
    password: str = ""  # of “console”, where one is wanted
    mails: list[EmailMessage] = field(default_factory=list)
    to: list[str] = field(default_factory=list)

    def knows(self, server: Any, session: Any, envelope: Any, mechanism: str, given: Any) -> AuthResult:
        right = bool(self.password) and (given.login, given.password) == (b"console", self.password.encode())
        return AuthResult(success=right, handled=False)

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if self.refuses:
            return self.refuses
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.refuses_mail:
            return self.refuses_mail
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))  # type: ignore[arg-type]
        self.to += envelope.rcpt_tos
        return "250 taken"


@pytest.fixture
def mail_server(settings: Any) -> Iterator[MailServer]:
    """The console's, as SMTP_HOST and SMTP_PORT would set it."""
    server = MailServer(port=free_port())
    controller = Controller(
        server, hostname="127.0.0.1", port=server.port, auth_require_tls=False, authenticator=server.knows
    )
    controller.start()
    console_mails_to(settings, server.port)
    yield server
    controller.stop()


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def console_mails_to(settings: Any, port: int) -> None:
    settings.EMAIL_BACKEND = "apps.integrations.smtp.TimedMail"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    settings.DEFAULT_FROM_EMAIL = "FastLoop Console <fastloop@example.com>"
    settings.CONSOLE_URL = "https://console.example.com/"


@pytest.fixture
def dripping(settings: Any) -> Iterator[None]:
    """A server that greets a letter at a time, for ever."""
    listening, over = socket.create_server(("127.0.0.1", 0)), threading.Event()

    def drip() -> None:
        line, _ = listening.accept()
        try:
            while not over.is_set():
                line.sendall(b"2")
                time.sleep(0.05)
        except OSError:
            return
        finally:
            line.close()

    threading.Thread(target=drip, daemon=True).start()
    console_mails_to(settings, listening.getsockname()[1])
    yield
    over.set()
    listening.close()
