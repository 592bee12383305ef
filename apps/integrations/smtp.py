"""Mail over SMTP by Django's own backend, with an end: a server that drips is cut off, however often it says a little.

What went wrong is said in words; whether another try may help is `permanent`.
"""

import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.smtp import EmailBackend

from apps.rules.sentences import sentence

TOGETHER_S = 20.0  # for one mail, from the name of the server to its last word
GONE_FOR_GOOD = range(500, 600)


class MailNotSent(Exception):
    """`args[0]` is the sentence. `of_server`: it would be the same for every other mail now."""

    def __init__(self, words: str, *, permanent: bool, of_server: bool) -> None:
        super().__init__(words)
        self.permanent, self.of_server = permanent, of_server


class _Cut:
    """The lines of one mail, which a timer closes from outside."""

    def __init__(self) -> None:
        self.lines: list[smtplib.SMTP] = []
        self.was_cut = False

    def now(self) -> None:
        self.was_cut = True
        for line in self.lines:
            sock = getattr(line, "sock", None)
            if sock is not None:
                try:
                    socket.socket.shutdown(sock, socket.SHUT_RDWR)  # not the TLS one's, which would talk first
                except OSError:
                    continue  # closed already


_of_thread = threading.local()


@contextmanager
def _ending_after(seconds: float) -> Iterator[_Cut]:
    cut = _of_thread.cut = _Cut()
    timer = threading.Timer(seconds, cut.now)
    timer.daemon = True
    timer.start()
    try:
        yield cut
    finally:
        timer.cancel()
        _of_thread.cut = None


class _Line(smtplib.SMTP):
    """Known to the timer from its first byte on."""

    def connect(self, *args: Any, **more: Any) -> Any:
        if getattr(_of_thread, "cut", None) is not None:
            _of_thread.cut.lines.append(self)
        return super().connect(*args, **more)


class _LineOfTLS(_Line, smtplib.SMTP_SSL):
    pass


class TimedMail(EmailBackend):
    """Django's, over lines that the timer knows."""

    @property
    def connection_class(self) -> Any:
        return _LineOfTLS if self.use_ssl else _Line


def mail_send(message: EmailMessage) -> None:
    """One mail over a line of its own. Raises MailNotSent."""
    with _ending_after(TOGETHER_S) as cut:
        try:
            connection = get_connection(fail_silently=False)
            if connection.send_messages([message]) != 1:
                raise MailNotSent(sentence("There is no address to send to."), permanent=True, of_server=False)
        except MailNotSent:
            raise
        except Exception as fault:
            raise _in_words(fault, cut.was_cut) from fault


def _in_words(fault: Exception, was_cut: bool) -> MailNotSent:
    """Server and settings are the same for every mail; an address or a content is this mail's."""
    if was_cut:
        return _of_server(sentence("The mail server gave no whole answer within {seconds} s.", seconds=int(TOGETHER_S)))
    if isinstance(fault, smtplib.SMTPRecipientsRefused):
        code, said = next(iter(fault.recipients.values()))
        words = sentence("The mail server does not take this address: {reply}", reply=_reply(code, said))
        return MailNotSent(words, permanent=code in GONE_FOR_GOOD, of_server=False)
    if isinstance(fault, smtplib.SMTPDataError):
        words = sentence(
            "The mail server does not take the mail: {reply}", reply=_reply(fault.smtp_code, fault.smtp_error)
        )
        return MailNotSent(words, permanent=fault.smtp_code in GONE_FOR_GOOD, of_server=False)
    if isinstance(fault, smtplib.SMTPSenderRefused):
        answer = _reply(fault.smtp_code, fault.smtp_error)
        return _of_server(
            sentence("The mail server does not take the sender, which MAIL_FROM sets: {reply}", reply=answer)
        )
    if isinstance(fault, smtplib.SMTPAuthenticationError):
        answer = _reply(fault.smtp_code, fault.smtp_error)
        return _of_server(sentence("The mail server does not take SMTP_USER and SMTP_PASSWORD: {reply}", reply=answer))
    if isinstance(fault, smtplib.SMTPNotSupportedError):
        return _of_server(
            sentence("The mail server cannot do what SMTP_SECURITY or SMTP_USER asks for: {fault}", fault=_short(fault))
        )
    if isinstance(fault, smtplib.SMTPResponseException):
        return _of_server(sentence("The mail server refuses: {reply}", reply=_reply(fault.smtp_code, fault.smtp_error)))
    if isinstance(fault, ssl.SSLError):
        return _of_server(sentence("TLS with the mail server failed: {fault}", fault=_short(fault)))
    if isinstance(fault, smtplib.SMTPServerDisconnected):
        return _of_server(sentence("The mail server hung up: {fault}", fault=_short(fault)))
    if isinstance(fault, socket.gaierror):
        return _of_server(sentence("Nobody knows the host that SMTP_HOST names: {fault}", fault=_short(fault)))
    if isinstance(fault, OSError | smtplib.SMTPException):
        return _of_server(sentence("The mail server cannot be reached: {fault}", fault=_short(fault)))
    words = sentence("The mail could not be written: {fault}", fault=_short(fault))
    return MailNotSent(words, permanent=True, of_server=False)


def _of_server(words: str) -> MailNotSent:
    return MailNotSent(words, permanent=False, of_server=True)


def _reply(code: int, reply: bytes | str) -> str:
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else str(reply)
    return f"{code} {_clean(text)}."


def _short(fault: BaseException) -> str:
    return f"{_clean(str(fault)) or type(fault).__name__}."


def _clean(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)[:160].strip().rstrip(".")
