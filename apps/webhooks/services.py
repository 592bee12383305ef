"""Set up where messages go, and take what is new from the audit trail."""

import secrets
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import orjson
from django.db import IntegrityError, transaction
from django.utils.translation import gettext

from apps.accounts.models import User
from apps.audit.models import Event
from apps.audit.reading import begin_here, behind, events_taken
from apps.audit.services import event_record, project_scope
from apps.audit.verbs import IN_PROJECTS, Verb
from apps.errors import Invalid, NotFound
from apps.integrations.outbound import address_checked
from apps.live.publish import look_again
from apps.live.topics import News, Topic
from apps.pages.sentences import refusal
from apps.projects.models import Project
from apps.rules.sentences import parts_of, sentence
from apps.rules.values import ValueRefused, name_of
from apps.rules.webhooks import WEBHOOK_FORMATS, WebhookMessage, secret_made
from apps.webhooks.models import DeliveryState, Webhook, WebhookDelivery
from apps.work.jobs import ask
from apps.work.names import Job

MOST_WEBHOOKS = 20  # of a project
MOST_NAME = 80
MOST_BODY = 20_000  # bytes, as the standard asks for; facts beyond it are left out
ROTATION = timedelta(hours=24)  # for so long the secret before is still signed with
KEPT = timedelta(days=30)
TEST = "webhook.test"


def webhook_add(
    *,
    project: Project,
    name: str,
    url: str,
    verbs: Iterable[str],
    format: str,
    console_url: str,
    by: User,
    at: datetime,
) -> Webhook:
    """It is told what happens from now on. Raises Invalid."""
    with transaction.atomic():
        Project.objects.select_for_update(no_key=True).get(pk=project.pk)
        if Webhook.objects.filter(project=project).count() >= MOST_WEBHOOKS:
            raise Invalid(gettext("A project has at most {n} webhooks.").format(n=MOST_WEBHOOKS))
        webhook = Webhook(
            project=project, console_url=console_url[:200], secret=secret_made(), created_by=by, created_at=at
        )
        _set(webhook, name=name, url=url, verbs=verbs, format=format)
        _saved(webhook)
        begin_here(webhook.reader, project_scope(project.pk))
        _told(
            webhook, Verb.WEBHOOK_ADDED, by, at, sentence("{by} added the webhook “{name}”.", by=by, name=webhook.name)
        )
    return webhook


def webhook_change(*, webhook: Webhook, by: User, at: datetime, **given: Any) -> Webhook:
    """Set what is given of name, url, verbs and format; what is off stays off. Raises Invalid."""
    with transaction.atomic():
        kept = _locked(webhook)
        now = {"name": kept.name, "url": kept.url, "verbs": kept.verbs, "format": kept.format} | given
        _set(kept, **now)
        _saved(kept)
        _told(kept, Verb.WEBHOOK_CHANGED, by, at, sentence("{by} changed the webhook “{name}”.", by=by, name=kept.name))
    return kept


def webhook_switch(*, webhook: Webhook, on: bool, by: User | None, at: datetime, why: str = "") -> None:
    """Off: nothing is sent, and what happens meanwhile is not told later. On: from now on."""
    with transaction.atomic():
        kept = _locked(webhook)
        if on == (kept.off_since is None):
            return
        kept.off_since, kept.off_reason, kept.off_parts = (None, "", {}) if on else (at, why[:300], parts_of(why))
        kept.save(update_fields=["off_since", "off_reason", "off_parts"])
        if on:
            begin_here(kept.reader, project_scope(kept.project_id))
            words = sentence("{by} switched the webhook “{name}” on.", by=by, name=kept.name)
        else:
            waiting = kept.deliveries.filter(state=DeliveryState.WAITING)
            waiting.update(state=DeliveryState.DROPPED, next_at=None, owner=None)
            words = (
                sentence("{by} switched the webhook “{name}” off.", by=by, name=kept.name)
                if by
                else sentence("The webhook “{name}” was switched off: {why}", name=kept.name, why=why)
            )
        _told(kept, Verb.WEBHOOK_ON if on else Verb.WEBHOOK_OFF, by, at, words)


def webhook_rotate(*, webhook: Webhook, by: User, at: datetime) -> Webhook:
    """A new secret. For a day messages are signed by the one before too, so that no receiver misses any."""
    with transaction.atomic():
        kept = _locked(webhook)
        kept.previous_secret, kept.previous_until, kept.secret = kept.secret, at + ROTATION, secret_made()
        kept.save(update_fields=["secret", "previous_secret", "previous_until"])
        words = sentence("{by} made a new secret for the webhook “{name}”.", by=by, name=kept.name)
        _told(kept, Verb.WEBHOOK_CHANGED, by, at, words)
    return kept


def webhook_remove(*, webhook: Webhook, by: User, at: datetime) -> None:
    with transaction.atomic():
        kept = _locked(webhook)
        _told(kept, Verb.WEBHOOK_REMOVED, by, at, sentence("{by} removed the webhook “{name}”.", by=by, name=kept.name))
        kept.delete()


def webhook_test(*, webhook: Webhook, by: User, at: datetime) -> WebhookDelivery:
    """A message of a type of its own, at once. Raises Invalid where it is off."""
    if webhook.off_since:
        raise Invalid(gettext("It is off. Switch it on first."))
    words = sentence("{by} sent a test from FastLoop Console.", by=by)
    message = WebhookMessage(_message_id(), TEST, at, webhook.project_id, webhook.project.name, words, by=by.username)
    made = _delivery(webhook, message, at)
    made.save()
    transaction.on_commit(lambda: ask(Job.WEBHOOKS))
    return made


def delivery_repeat(*, delivery: WebhookDelivery, at: datetime) -> WebhookDelivery:
    """The same message under the same id once more, whatever became of it. Raises Invalid where the webhook is off."""
    if delivery.webhook.off_since:
        raise Invalid(gettext("It is off. Switch it on first."))
    again = WebhookDelivery.objects.create(
        webhook=delivery.webhook,
        message_id=delivery.message_id,
        type=delivery.type,
        body=delivery.body,
        created_at=at,
        next_at=at,
    )
    transaction.on_commit(lambda: ask(Job.WEBHOOKS))
    return again


def webhooks_collect(*, at: datetime) -> int:
    """Make a message of every new entry that some webhook wants; how many. Two workers take turns at a webhook."""
    made = 0
    for webhook in Webhook.objects.filter(off_since=None, project__deleting_since=None).select_related("project"):
        scope = project_scope(webhook.project_id)
        while behind(webhook.reader, scope):
            with transaction.atomic():
                found = events_taken(webhook.reader, scope).events
                wanted = [
                    _delivery(webhook, _message(webhook, event), at) for event in found if event.verb in webhook.verbs
                ]
                WebhookDelivery.objects.bulk_create(wanted)
            made += len(wanted)
    return made


def deliveries_forget(*, at: datetime) -> int:
    """What ended long ago."""
    old = WebhookDelivery.objects.filter(created_at__lt=at - KEPT).exclude(state=DeliveryState.WAITING)
    return old.delete()[0]


def _set(webhook: Webhook, *, name: str, url: str, verbs: Iterable[str], format: str) -> None:
    """Raises Invalid."""
    try:
        webhook.name = name_of(name, gettext("The name"), MOST_NAME)
    except ValueRefused as refused:
        raise Invalid(refusal(refused), field="name") from None
    try:
        webhook.url = address_checked(url)
    except ValueRefused as refused:
        raise Invalid(refusal(refused), field="url") from None
    webhook.verbs, webhook.format = _verbs(verbs), format
    if format not in WEBHOOK_FORMATS:
        known = ", ".join(WEBHOOK_FORMATS)
        raise Invalid(gettext("The format is one of {known}.").format(known=known), field="format")


def _verbs(given: Iterable[str]) -> list[str]:
    wanted = sorted(set(given))
    unknown = [each for each in wanted if each not in IN_PROJECTS]
    if unknown:
        raise Invalid(gettext("“{verb}” is no event.").format(verb=str(unknown[0])[:60]), field="verbs")
    if not wanted:
        raise Invalid(gettext("Choose at least one event."), field="verbs")
    return wanted


def _saved(webhook: Webhook) -> None:
    try:
        with transaction.atomic():
            webhook.save()
    except IntegrityError:
        words = gettext("There is a webhook “{name}” already.").format(name=webhook.name)
        raise Invalid(words, field="name") from None


def _locked(webhook: Webhook) -> Webhook:
    """Raises NotFound for one that was removed meanwhile."""
    found = Webhook.objects.select_for_update(no_key=True).filter(pk=webhook.pk).first()
    if found is None:
        raise NotFound(gettext("There is no such webhook any more."))
    return found


def _told(webhook: Webhook, verb: Verb, by: User | None, at: datetime, words: str) -> None:
    event_record(
        project_id=webhook.project_id,
        verb=verb,
        subject=f"webhook {webhook.pk}",
        by=by,
        at=at,
        sentence=words,
        after={"name": webhook.name, "verbs": webhook.verbs, "format": webhook.format},
    )
    look_again(Topic.PROJECT.of(webhook.project_id), News.WEBHOOK)


def _message(webhook: Webhook, event: Event) -> WebhookMessage:
    return WebhookMessage(
        _message_id(),
        event.verb,
        event.at,
        webhook.project_id,
        webhook.project.name,
        event.sentence,
        subject=event.subject,
        by=event.actor_username,
        sequence=event.sequence,
        url=f"{webhook.console_url}projects/{webhook.project_id}/" if webhook.console_url else "",
        before=event.before,
        after=event.after,
    )


def _delivery(webhook: Webhook, message: WebhookMessage, at: datetime) -> WebhookDelivery:
    return WebhookDelivery(
        webhook=webhook,
        message_id=message.id,
        type=message.type,
        body=_body(webhook, message),
        created_at=at,
        next_at=at,
    )


def _body(webhook: Webhook, message: WebhookMessage) -> str:
    body = orjson.dumps(webhook.shape.body(message))
    if len(body) > MOST_BODY:
        body = orjson.dumps(webhook.shape.body(_shortened(message)))
    return body.decode()


def _shortened(message: WebhookMessage) -> WebhookMessage:
    return replace(message, before={}, after={"left_out": True})


def _message_id() -> str:
    return f"msg_{secrets.token_urlsafe(20)}"
