"""Send what is due: many at a time, each for itself, so that a slow or dead target holds up nobody but itself."""

import asyncio
import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, QuerySet
from django.utils import timezone

from apps.integrations.outbound import AddressRefused, pinned
from apps.live.publish import look_again
from apps.live.topics import News, Topic
from apps.rules.sentences import cut, parts_of, sentence, words_of
from apps.rules.webhooks import pause_before, signature_of
from apps.webhooks.models import DeliveryState, Webhook, WebhookDelivery
from apps.webhooks.services import webhook_switch
from apps.work.jobs import ask
from apps.work.leases import Lease, LeaseLost
from apps.work.names import Job

TIMEOUT_S = 15.0  # for one message, from its name to the end of the answer
AT_ONCE = 32  # messages on their way
OF_ONE = 4  # of them to one address, of all jobs: a slow one leaves room for the others
TAKES_FOR_S = 20.0  # a job begins no message after that; the sweep asks for the next job
LOOKS_EVERY_S = 0.5
MOST_REPLY = 500  # characters of an answer that are kept
READ_AT_MOST = 20_000  # bytes of an answer
GONE = 410


class DeliveryLost(LeaseLost):
    """Another worker sends it by now."""


LEASE = Lease(timedelta(seconds=60), DeliveryLost)


@dataclass(frozen=True)
class Attempt:
    """What came of one request. `status` is None where no answer came."""

    status: int | None
    reply: str
    error: str
    took_ms: int

    @property
    def taken(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def deliveries_ask(*, at: datetime) -> bool:
    """Have what is due sent by a job of its own, so that the sweep never waits for a stranger's server."""
    return _due(at).exists() and ask(Job.WEBHOOKS)


def deliveries_send(*, now: Callable[[], datetime] = timezone.now) -> int:
    """Send until nothing is due, or this job has had its time; how many messages were tried. Each is settled as it ends."""
    tried, began = 0, time.monotonic()
    with _line() as begin:
        going: dict[Future[Attempt], WebhookDelivery] = {}
        while True:
            if len(going) < AT_ONCE and time.monotonic() - began < TAKES_FOR_S:
                at = now()
                going |= {begin(attempt_of(each, at)): each for each in _claimed(at, AT_ONCE - len(going))}
            if not going:
                return tried
            done, _ = wait(going, timeout=LOOKS_EVERY_S, return_when=FIRST_COMPLETED)
            for each in done:
                _settle(going.pop(each), each.result(), now())
                tried += 1


@contextmanager
def _line() -> Iterator[Callable[[Coroutine[Any, Any, Attempt]], "Future[Attempt]"]]:
    """Requests run on a loop of their own, where one that drips is cut off in the middle; the rows are written here."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="webhooks", daemon=True)
    thread.start()
    try:
        yield lambda request: asyncio.run_coroutine_threadsafe(request, loop)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _due(at: datetime) -> "QuerySet[WebhookDelivery]":
    """What nobody sends, of addresses that have room for one more."""
    waiting = WebhookDelivery.objects.filter(state=DeliveryState.WAITING)
    full = waiting.filter(leased_until__gte=at).order_by().values("webhook").annotate(n=Count("pk"))
    due = waiting.filter(next_at__lte=at, webhook__off_since=None, webhook__project__deleting_since=None)
    return due.exclude(leased_until__gte=at).exclude(webhook__in=full.filter(n__gte=OF_ONE).values("webhook"))


@transaction.atomic
def _claimed(at: datetime, most: int) -> list[WebhookDelivery]:
    """The oldest that are due, a few of each address, held for longer than sending may take."""
    rows = _due(at).order_by("next_at", "pk").select_for_update(of=("self",), skip_locked=True, no_key=True)
    held = WebhookDelivery.objects.filter(state=DeliveryState.WAITING, leased_until__gte=at)
    of_target = Counter(held.values_list("webhook_id", flat=True))
    found: list[WebhookDelivery] = []
    for row in rows.select_related("webhook")[: OF_ONE * AT_ONCE]:
        if of_target[row.webhook_id] < OF_ONE and len(found) < most:
            of_target[row.webhook_id] += 1
            LEASE.take(row, at)
            found.append(row)
    WebhookDelivery.objects.bulk_update(found, ["owner", "leased_until"])
    return found


async def attempt_of(delivery: WebhookDelivery, at: datetime) -> Attempt:
    """One request. Asks no database, and raises nothing: all ends in a sentence."""
    began = time.monotonic()
    try:
        async with asyncio.timeout(TIMEOUT_S):
            status, reply, error = await _asked(delivery, at)
    except Exception as fault:  # of a network, a stranger's server or a plug-in's format
        status, reply, error = None, "", _words(fault)
    return Attempt(status, reply, error, int(1000 * (time.monotonic() - began)))


async def _asked(delivery: WebhookDelivery, at: datetime) -> tuple[int, str, str]:
    import httpx

    webhook, body = delivery.webhook, delivery.body.encode()
    url, headers, extensions = await pinned(webhook.url)
    headers |= {"Content-Type": webhook.shape.content_type, "User-Agent": "FastLoop-Console-Webhooks/1"}
    if webhook.shape.signed:
        headers |= {
            "webhook-id": delivery.message_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": signature_of(delivery.message_id, at, body, _secrets(webhook, at)),
        }
    async with (
        httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False, trust_env=False) as line,
        line.stream("POST", url, content=body, headers=headers, extensions=extensions) as answer,
    ):
        content = b""
        async for piece in answer.aiter_raw():
            content += piece
            if len(content) > READ_AT_MOST:
                break
        reply = content.decode("utf-8", "replace").replace("\x00", "")[:MOST_REPLY]
        return answer.status_code, reply, _refused(answer.status_code)


def _secrets(webhook: Webhook, at: datetime) -> list[str]:
    earlier = webhook.previous_until is not None and at < webhook.previous_until
    return [webhook.secret, webhook.previous_secret] if earlier else [webhook.secret]


def _refused(status: int) -> str:
    if 200 <= status < 300:
        return ""
    if 300 <= status < 400:
        return sentence(
            "It answers with a redirect ({status}), which is not followed. Set the new address.", status=status
        )
    if status == GONE:
        return sentence("It answers that it is gone ({status}).", status=status)
    return sentence("It answers {status}.", status=status)


def _words(fault: BaseException) -> str:
    import ssl

    import httpx

    if isinstance(fault, AddressRefused):
        return words_of(fault)
    if isinstance(fault, TimeoutError | httpx.TimeoutException):
        return sentence("No answer within {seconds} s.", seconds=int(TIMEOUT_S))
    if isinstance(fault.__cause__ or fault.__context__, ssl.SSLError) or "CERTIFICATE" in str(fault):
        return sentence("TLS failed: {fault}.", fault=str(fault)[:160].rstrip("."))
    if isinstance(fault, OSError | httpx.TransportError):
        return sentence("It cannot be reached: {fault}.", fault=str(fault)[:160].rstrip(".") or type(fault).__name__)
    return sentence("It could not be sent: {fault}.", fault=f"{type(fault).__name__}: {fault}"[:160].rstrip("."))


@transaction.atomic
def _settle(delivery: WebhookDelivery, attempt: Attempt, at: datetime) -> None:
    """Write what came of it down. One that was switched off or taken over meanwhile keeps what stands."""
    row = WebhookDelivery.objects.select_for_update(of=("self",), no_key=True).filter(
        pk=delivery.pk, owner=delivery.owner, state=DeliveryState.WAITING
    )
    kept = row.select_related("webhook").first()
    if kept is None:
        return
    kept.attempts += 1
    kept.tried_at, kept.status, kept.took_ms, kept.reply = at, attempt.status, attempt.took_ms, attempt.reply
    kept.error, kept.parts = cut(attempt.error, 300), parts_of(attempt.error)
    kept.owner = kept.leased_until = None
    pause = pause_before(kept.attempts, random.Random(uuid.uuid4().int))
    if attempt.taken:
        kept.state, kept.next_at = DeliveryState.DELIVERED, None
    elif attempt.status == GONE or pause is None:
        kept.state, kept.next_at = DeliveryState.FAILED, None
    else:
        kept.next_at = at + pause
    kept.save()
    if kept.state == DeliveryState.FAILED:
        _switch_off(kept, attempt, at)
    look_again(Topic.PROJECT.of(kept.webhook.project_id), News.WEBHOOK)


def _switch_off(delivery: WebhookDelivery, attempt: Attempt, at: datetime) -> None:
    """An address that is gone, or that took nothing in all the days that this message was tried."""
    if attempt.status == GONE:
        why = sentence("it answers that it is gone ({status}).", status=GONE)
    elif delivery.webhook.deliveries.filter(state=DeliveryState.DELIVERED, tried_at__gte=delivery.created_at).exists():
        return
    else:
        why = sentence("it took nothing for {days} days.", days=max(1, (at - delivery.created_at).days))
    webhook_switch(webhook=delivery.webhook, on=False, by=None, at=at, why=why)
