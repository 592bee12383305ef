"""Large bodies: who sends them is known before they are read, and a full disk is said in words."""

import asyncio
import errno
import json
import os
import subprocess
import sys

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.datasets import services as datasets
from apps.errors import full_disk_behind
from apps.people import tokens
from fastloop_console.machine.env import ROOT
from fastloop_console.machine.one_thread import OneThread
from fastloop_console.machine.upload_limit import STRANGERS_BYTES, UploadLimit
from fastloop_console.senders import is_known


def sent(headers, *, known, body=b"x"):
    """What the server would be given, and how often the application was asked."""
    messages, asked = [], []

    async def app(scope, receive, send):
        asked.append((await receive())["type"])

    async def receive():
        return {"type": "http.request", "body": body}

    async def send(message):
        messages.append(message)

    limit = UploadLimit(app, 10**9, lambda _: known)
    asyncio.run(limit({"type": "http", "headers": headers}, receive, send))
    return messages, asked


LARGE = [(b"content-length", str(STRANGERS_BYTES + 1).encode()), (b"accept", b"application/json")]


def test_nothing_of_a_large_body_of_a_stranger_is_read():
    messages, asked = sent(LARGE, known=False)
    assert messages[0]["status"] == 401 and not asked
    assert "Nothing was read" in json.loads(messages[1]["body"])["detail"]


def refused(path, accept):
    """The refusal of a body over the limit: its status, content type and text."""
    messages = []

    async def send(message):
        messages.append(message)

    headers = [(b"content-length", b"3000000000"), (b"accept", accept)]
    asyncio.run(UploadLimit(None, 10**9)({"type": "http", "path": path, "headers": headers}, None, send))
    return messages[0]["status"], dict(messages[0]["headers"])[b"content-type"], messages[1]["body"].decode()


def test_a_body_over_the_limit_is_a_problem_to_the_api_whatever_it_accepts():
    for accept in (b"*/*", b"text/html", b"application/json"):
        status, kind, body = refused("/api/v1/projects/1/examples/", accept)
        assert (status, kind) == (413, b"application/problem+json")
        told = json.loads(body)
        assert {k: told[k] for k in ("type", "status", "code")} == {
            "type": "about:blank",
            "status": 413,
            "code": "too_large",
        }
        assert "at most 1.0 GB" in told["detail"] and told["title"]


def test_a_body_over_the_limit_is_a_page_to_a_browser_and_json_to_its_scripts():
    status, kind, body = refused("/projects/1/data/", b"text/html,*/*;q=0.8")
    assert (status, kind) == (413, b"text/html; charset=utf-8")
    assert (
        body.startswith("<!doctype html>") and "<p>The upload has 3.0 GB; at most 1.0 GB" in body and 'href="/"' in body
    )
    assert refused("/projects/1/data/", b"application/json")[:2] == (413, b"application/json")
    assert refused("/projects/1/data/", b"")[1] == b"text/plain; charset=utf-8"


def test_a_known_sender_is_let_through_and_a_small_body_of_anybody_too():
    assert sent(LARGE, known=True)[1] == ["http.request"]
    assert sent([(b"content-length", b"100")], known=False)[1] == ["http.request"]


def test_a_strangers_body_of_no_declared_length_ends_at_the_limit():
    headers = [(b"transfer-encoding", b"chunked")]
    assert sent(headers, known=False, body=b"x" * (STRANGERS_BYTES + 1))[1] == ["http.disconnect"]
    assert sent(headers, known=True, body=b"x" * (STRANGERS_BYTES + 1))[1] == ["http.request"]


@pytest.mark.django_db
def test_a_session_and_a_token_make_a_sender_known_while_they_hold(ada, as_, noon, settings, monkeypatch):
    monkeypatch.setattr("fastloop_console.senders.connections.close_all", lambda: None)
    browser = as_(ada)
    cookie = {b"cookie": f"a=b; sessionid={browser.cookies['sessionid'].value}".encode()}
    key = tokens.token_create(user=ada, name="n", scope="write", lasts=None, at=noon)
    token = {b"authorization": f"Token {key}".encode()}
    assert is_known(cookie) and is_known(token)
    for nobody in ({}, {b"cookie": b"sessionid=x"}, {b"authorization": b"Token x"}, {b"authorization": b"\xff"}):
        assert not is_known(nobody)
    User.objects.filter(pk=ada.pk).update(is_active=False)
    assert not is_known(cookie) and not is_known(token)


def full(*_, **__):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_batch_and_a_page_on_a_full_disk_answer_507_in_words(project, lin, as_, monkeypatch):
    from apps.loop.services import intake

    monkeypatch.setattr(intake, "batch_take", full)
    monkeypatch.setattr("apps.loop.api.batch_take", full, raising=False)
    monkeypatch.setattr(datasets, "ingestion_open", full)
    answer = as_(lin).post(
        f"/api/v1/projects/{project.pk}/examples/",
        {"examples": [{"id": "1", "text": "a"}]},
        content_type="application/json",
    )
    assert (answer.status_code, answer.json()["code"]) == (507, "disk_full")
    assert "disk is full" in answer.json()["detail"]


def test_a_form_that_cannot_be_kept_answers_507(ada, monkeypatch):
    monkeypatch.setattr("django.core.files.uploadedfile.TemporaryUploadedFile.__init__", full)
    monkeypatch.setattr("django.http.request.HttpRequest.parse_file_upload", full)
    browser = Client(raise_request_exception=False, enforce_csrf_checks=True)
    browser.cookies["csrftoken"] = "x" * 32
    answer = browser.post("/sign-in/", {"username": "ada", "password": "x"})
    assert (answer.status_code, b"disk is full" in answer.content) == (507, True)


def test_a_body_that_cannot_be_spooled_answers_507(monkeypatch):
    from tests.architecture.test_one_thread import ask

    handler = OneThread()
    monkeypatch.setattr(handler, "read_body", full)
    start, body = asyncio.run(ask(handler))
    assert start["status"] == 507 and b"disk is full" in body["body"]


def test_a_full_disk_is_known_behind_other_errors_and_other_errors_are_not():
    try:
        try:
            full()
        except OSError as cause:
            raise ValueError("could not be written") from cause
    except ValueError as error:
        assert full_disk_behind(error)
    assert not full_disk_behind(OSError(errno.EACCES, "no")) and not full_disk_behind(None)


def test_production_settings_pass_djangos_own_check_for_deployments():
    env = os.environ | {
        "DJANGO_SETTINGS_MODULE": "fastloop_console.settings.production",
        "SECRET_KEY": "a-key-for-this-test-alone-with-more-than-fifty-different-characters-0123",
        "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none",
        "REDIS_URL": "redis://127.0.0.1:1/0",
    }
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
