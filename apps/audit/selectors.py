"""Read the audit trail."""

from django.db.models import QuerySet

from apps.audit.models import ChainHead, Event


def events_of(scope: str, *, verb: str = "", text: str = "") -> QuerySet[Event]:
    events = Event.objects.filter(scope=scope)
    if verb:
        events = events.filter(verb=verb)
    if text:
        events = events.filter(sentence__icontains=text)
    return events


def head_of(scope: str) -> ChainHead | None:
    """The newest entry as it is kept apart; None while the scope has none."""
    return ChainHead.objects.filter(scope=scope).first()


def verbs_of(scope: str) -> list[str]:
    return list(Event.objects.filter(scope=scope).order_by("verb").values_list("verb", flat=True).distinct())
