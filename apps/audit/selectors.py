"""Read the audit trail."""

from django.db.models import QuerySet

from apps.audit.models import Event


def events_of(scope: str, *, verb: str = "", text: str = "") -> QuerySet[Event]:
    events = Event.objects.filter(scope=scope)
    if verb:
        events = events.filter(verb=verb)
    if text:
        events = events.filter(sentence__icontains=text)
    return events


def verbs_of(scope: str) -> list[str]:
    return list(Event.objects.filter(scope=scope).order_by("verb").values_list("verb", flat=True).distinct())
