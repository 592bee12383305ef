"""Settings of mail: what is taken, what is refused in a sentence, and what holds where nothing is said."""

import pytest

from fastloop_console.machine import env
from fastloop_console.machine.refusals import SettingInvalid

NAMES = ("SMTP_HOST", "SMTP_PORT", "SMTP_SECURITY", "SMTP_USER", "SMTP_PASSWORD", "MAIL_FROM", "CONSOLE_URL")


@pytest.fixture(autouse=True)
def nothing_said(monkeypatch):
    for name in (*NAMES, "ALLOWED_HOSTS", "PORT"):
        monkeypatch.delenv(name, raising=False)


def test_without_a_server_mail_is_off_and_nothing_else_is_asked_for():
    assert (env.smtp_host(), env.smtp_port(), env.smtp_security()) == ("", 587, "starttls")
    assert "@" in env.mail_from()


@pytest.mark.parametrize(("security", "port"), [("", 587), ("starttls", 587), ("TLS", 465), ("none", 25)])
def test_the_port_follows_from_how_the_line_is_kept_secret(monkeypatch, security, port):
    monkeypatch.setenv("SMTP_SECURITY", security)
    monkeypatch.setenv("SMTP_PORT", "")
    assert env.smtp_port() == port
    monkeypatch.setenv("SMTP_PORT", "2525")
    assert env.smtp_port() == 2525


@pytest.mark.parametrize(
    ("name", "value", "read", "words"),
    [
        ("SMTP_SECURITY", "ssl", env.smtp_security, "one of starttls, tls, none"),
        ("SMTP_PORT", "smtp", env.smtp_port, "takes a whole number from 1 to 65535"),
        ("MAIL_FROM", "nobody", env.mail_from, "say who mail is from"),
        ("MAIL_FROM", "", env.mail_from, "say who mail is from"),
        ("MAIL_FROM", "a@b.de\r\nBcc: c@d.de", env.mail_from, "say who mail is from"),
        ("CONSOLE_URL", "console.example.com", env.console_url, "write the whole address"),
        ("CONSOLE_URL", "https://a b/", env.console_url, "write the whole address"),
    ],
)
def test_what_cannot_be_used_is_refused_in_a_sentence(monkeypatch, name, value, read, words):
    monkeypatch.setenv("SMTP_HOST", "mail.example.com")
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingInvalid, match=words):
        read()


def test_mail_is_from_the_account_on_the_server_where_that_is_an_address(monkeypatch):
    monkeypatch.setenv("SMTP_HOST", "mail.example.com")
    monkeypatch.setenv("SMTP_USER", "fastloop@example.com")
    assert env.mail_from() == "fastloop@example.com"


def test_links_lead_to_the_first_name_that_the_console_answers_to(monkeypatch):
    assert env.console_url() == "http://127.0.0.1:8000/"
    monkeypatch.setenv("ALLOWED_HOSTS", "localhost,.example.com,other.example.com")
    assert env.console_url() == "https://example.com/"
    monkeypatch.setenv("CONSOLE_URL", "https://loop.example.com")
    assert env.console_url() == "https://loop.example.com/"
