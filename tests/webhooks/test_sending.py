"""Messages: what is sent, how it is signed, when it is tried again, and that a bad target harms nobody else."""

import asyncio
import http.server
import json
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
import standardwebhooks

from apps.integrations import outbound
from apps.integrations.outbound import AddressRefused, address_checked, pinned
from apps.slas.services import target_set
from apps.webhooks import sending
from apps.webhooks.models import DeliveryState, WebhookDelivery
from apps.webhooks.sending import deliveries_ask, deliveries_send
from apps.webhooks.services import (
    delivery_repeat,
    webhook_change,
    webhook_remove,
    webhook_rotate,
    webhook_switch,
    webhook_test,
    webhooks_collect,
)
from apps.work.names import Job
from fastloop_console.machine import env
from tests.conftest import NOON

NOW = datetime.now(UTC)


@pytest.fixture(autouse=True)
def now() -> None:
    """A receiver refuses what was signed five minutes ago, and a run of all tests is longer."""
    global NOW
    NOW = datetime.now(UTC)


class Dripping(http.server.BaseHTTPRequestHandler):
    """Says its headers a letter at a time."""

    def do_POST(self):
        try:
            for letter in b"HTTP/1.1 200 OK\r\nX: " + b"y" * 400:
                self.wfile.write(bytes([letter]))
                self.wfile.flush()
                time.sleep(0.05)
        except OSError:
            self.close_connection = True

    def log_message(self, *about): ...


def happened(project, by, hours=24, at=NOON):
    target_set(project=project, hours=hours, by=by, at=at)


def send(at=None):
    return deliveries_send(now=lambda: at or NOW)


def only() -> WebhookDelivery:
    return WebhookDelivery.objects.get()


def test_what_happens_is_sent_once_signed_and_a_receiver_of_the_standard_accepts_it(project, mona, hook, target, sent):
    happened(project, mona, 12)  # before: nobody is told
    webhook = hook()
    happened(project, mona, 24)
    assert webhooks_collect(at=NOON) == 1 and webhooks_collect(at=NOON) == 0
    assert deliveries_ask(at=NOON) and (str(Job.WEBHOOKS), ()) in sent.jobs
    assert send() == 1 and send() == 0
    (headers, body), *more = target.came
    told = standardwebhooks.Webhook(webhook.secret).verify(body.decode(), headers)
    assert not more and told["type"] == "target.set" and headers["content-type"] == "application/json"
    assert told["data"]["project"] == {"id": project.pk, "name": project.name}
    assert told["data"]["after"] == {"hours": 24} and told["data"]["by"] == mona.username
    assert told["data"]["url"] == f"https://fastloop.example/projects/{project.pk}/"
    done = only()
    assert (done.state, done.status, done.attempts, done.next_at, done.reply) == (
        "delivered",
        200,
        1,
        None,
        "thank you",
    )
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(webhook.secret).verify(body.decode() + " ", headers)


def test_only_what_was_asked_for_is_sent(project, mona, hook, target):
    hook(verbs=["model.promoted", "alert.raised"])
    happened(project, mona)
    assert webhooks_collect(at=NOON) == 0 and send() == 0 and target.came == []


def test_while_a_secret_is_replaced_both_fit_and_a_day_later_only_the_new_one(project, mona, hook, target):
    webhook = hook()
    before = webhook.secret
    after = webhook_rotate(webhook=webhook, by=mona, at=NOW).secret
    assert after != before
    webhook_test(webhook=webhook, by=mona, at=NOW)
    send()
    (headers, body), *_ = target.came
    assert [standardwebhooks.Webhook(x).verify(body.decode(), headers)["type"] for x in (before, after)] == [
        "webhook.test"
    ] * 2
    webhook_test(webhook=webhook, by=mona, at=NOW)
    send(NOW + timedelta(hours=25))
    headers, body = target.came[1]
    assert headers["webhook-signature"].count("v1,") == 1


def test_what_is_not_taken_is_tried_ten_times_in_three_days_under_one_id_and_then_the_address_is_switched_off(
    project, mona, hook, target
):
    webhook = hook()
    target.status = 503
    happened(project, mona)
    webhooks_collect(at=NOW)
    at, pauses = NOW, []
    for _ in range(10):
        assert send(at) == 1
        row = only()
        if row.next_at:
            assert send(row.next_at - timedelta(seconds=1)) == 0
            pauses.append(row.next_at - at)
            at = row.next_at
    wanted = [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400]
    assert all(w <= p.total_seconds() <= 1.1 * w for w, p in zip(wanted, pauses, strict=True))
    assert len({headers["webhook-id"] for headers, _ in target.came}) == 1 and len(target.came) == 10
    assert (row.state, row.attempts, row.error) == ("failed", 10, "It answers 503.")
    webhook.refresh_from_db()
    assert webhook.off_since and webhook.off_reason == "it took nothing for 3 days."


def test_one_that_says_it_is_gone_is_told_nothing_more(project, mona, hook, target):
    webhook = hook()
    target.status = 410
    for hours in (1, 2, 3):
        happened(project, mona, hours)
    webhooks_collect(at=NOW)
    send()
    webhook.refresh_from_db()
    assert webhook.off_reason == "it answers that it is gone (410)."
    assert not WebhookDelivery.objects.filter(state="waiting").exists()
    came = len(target.came)
    happened(project, mona, 4)
    assert webhooks_collect(at=NOW) == 0 and send() == 0 and len(target.came) == came
    target.status = 200
    webhook_switch(webhook=webhook, on=True, by=mona, at=NOW)
    happened(project, mona, 5)
    assert webhooks_collect(at=NOW) == 1, "what happened while it was off is not told later"


def test_a_redirect_is_not_followed(project, mona, hook, target):
    webhook = hook()
    target.status, target.location = 302, "http://169.254.169.254/latest/meta-data/"
    webhook_test(webhook=webhook, by=mona, at=NOW)
    send()
    assert only().error == "It answers with a redirect (302), which is not followed. Set the new address."
    assert only().state == DeliveryState.WAITING


def test_a_slow_and_a_dripping_target_are_cut_off_and_hold_up_nobody(project, mona, hook, target, monkeypatch):
    monkeypatch.setattr(sending, "TIMEOUT_S", 1.0)
    slow = hook()
    quick_url = target.url
    other = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Dripping)
    threading.Thread(target=other.serve_forever, daemon=True).start()
    try:
        webhook_change(webhook=slow, by=mona, at=NOW, url=f"http://127.0.0.1:{other.server_port}/")
        quick = hook(name="Quick", url=quick_url)
        for _ in range(6):
            webhook_test(webhook=slow, by=mona, at=NOW)
        webhook_test(webhook=quick, by=mona, at=NOW)
        began = time.monotonic()
        send()
        assert time.monotonic() - began < 8
    finally:
        other.shutdown()
        other.server_close()
    assert WebhookDelivery.objects.get(webhook=quick).state == "delivered"
    assert {d.error for d in WebhookDelivery.objects.filter(webhook=slow)} == {"No answer within 1 s."}


def test_a_dead_target_is_said_in_words(project, mona, hook):
    webhook = hook(url="http://127.0.0.1:1/")
    webhook_test(webhook=webhook, by=mona, at=NOW)
    send()
    assert only().error.startswith("It cannot be reached:") and only().status is None


def test_the_same_message_can_be_sent_again_and_nothing_goes_to_one_that_is_removed(project, mona, hook, target):
    webhook = hook()
    first = webhook_test(webhook=webhook, by=mona, at=NOW)
    send()
    again = delivery_repeat(delivery=first, at=NOW)
    send()
    assert again.pk != first.pk
    (one, body), (other, same) = target.came
    assert one["webhook-id"] == other["webhook-id"] and body == same
    webhook_test(webhook=webhook, by=mona, at=NOW)
    webhook_remove(webhook=webhook, by=mona, at=NOW)
    assert send() == 0 and len(target.came) == 2


@pytest.mark.parametrize(
    ("name", "signed", "read"),
    [
        ("cloudevents", True, lambda said: (said["type"], said["data"]["after"])),
        ("slack", False, lambda said: said["text"]),
        ("teams", False, lambda said: said["attachments"][0]["content"]["body"][0]["inlines"][1]["text"]),
    ],
)
def test_each_format_has_its_own_body(project, mona, hook, target, name, signed, read):
    project.name = "A <!channel> & more"
    project.save()
    hook(format=name)
    happened(project, mona, 24)
    webhooks_collect(at=NOON)
    send()
    (headers, body), *_ = target.came
    said = read(json.loads(body))
    assert ("webhook-signature" in headers) == signed
    if name == "cloudevents":
        assert said == ("fastloop.target.set", {"hours": 24})
        assert headers["content-type"] == "application/cloudevents+json"
    else:
        assert "24" in said
    if name == "slack":
        assert said.startswith("*A &lt;!channel&gt; &amp; more*: ") and said.endswith("|Open>")


# Addresses


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://hooks.example.org/", "Only https is sent to"),
        ("https://127.0.0.1/", "an address within this network"),
        ("https://[::1]/", "an address within this network"),
        ("https://[::ffff:10.0.0.1]/", "an address within this network"),
        ("https://[64:ff9b::a00:1]/", "an address within this network"),
        ("https://169.254.169.254/latest", "an address within this network"),
        ("https://224.0.0.1/", "an address within this network"),
        ("https://0.0.0.0/", "an address within this network"),
        ("https://user:secret@example.org/", "A name and a password"),
        ("https://example.org/#part", "What stands after"),
        ("ftp://example.org/", "Write the whole address"),
        ("example.org", "Write the whole address"),
        ("", "Write the whole address"),
        ("https://exa mple.org/", "no blanks"),
        ("https://example.org/\x00", "no characters that cannot be seen"),
        ("https://example.org:99999/", "is no address"),
        ("https://" + "a" * 600, "at most 500 characters"),
    ],
)
def test_an_address_is_refused_in_words(url, why):
    with pytest.raises(AddressRefused) as refused:
        address_checked(url)
    assert why in str(refused.value)


@pytest.mark.parametrize("address", ["10.1.2.3", "127.0.0.1", "::1", "fd00::1", "169.254.169.254", "100.64.0.1"])
def test_a_name_that_leads_into_this_network_is_refused_when_it_is_sent(monkeypatch, address):
    def found(self, host, port, **more):
        async def answer():
            return [(2, 1, 6, "", ("93.184.216.34", port)), (2, 1, 6, "", (address, port))]

        return answer()

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", found)
    with pytest.raises(AddressRefused, match="within this network"):
        asyncio.run(pinned("https://hooks.example.org/x"))


def test_the_request_goes_to_the_address_that_was_looked_up(monkeypatch):
    async def found(self, host, port, **more):
        return [(2, 1, 6, "", ("93.184.216.34", port))]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", found)
    url, headers, extensions = asyncio.run(pinned("https://hooks.example.org:8443/x?y=1"))
    assert url == "https://93.184.216.34:8443/x?y=1"
    assert headers == {"Host": "hooks.example.org:8443"} and extensions == {"sni_hostname": "hooks.example.org"}


def test_the_operator_allows_names_and_networks(monkeypatch):
    monkeypatch.setattr(env, "outbound_private_hosts", lambda: ["Intern.example", "10.0.0.0/8"])
    assert address_checked("http://intern.example/") and address_checked("https://10.1.2.3/")
    with pytest.raises(AddressRefused):
        address_checked("https://192.168.0.1/")
    assert outbound.MOST_ADDRESS == 500
