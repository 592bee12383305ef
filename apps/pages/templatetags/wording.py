"""How the console says times, shares and numbers (voice of the design: `61 h 20 min`, `41 %`, true minus signs)."""

from datetime import UTC, date, datetime, time
from typing import Any

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from apps.pages import moments, numbers, sentences
from apps.rules.acquisition import STRATEGIES
from apps.rules.encoders import ENCODERS
from apps.rules.sentences import parts_of
from apps.rules.values.zones import zone_of
from apps.rules.words import MINUS

register = template.Library()


@register.filter
def duration(seconds: float | None) -> str:
    """3.2 s, 12 s, 4 min, 1 h 20 min, 61 h 20 min, 12 d 4 h."""
    if seconds is None:
        return gettext("none")
    if seconds < 10:
        return f"{numbers.decimal(seconds, 1)} s"
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 240:  # a 72 h target and what misses it by days stay comparable
        return f"{hours} h {minutes:02d} min"
    return f"{hours // 24} d {hours % 24} h"


@register.filter
def briefly(seconds: float | None) -> str:
    """For tables: 61 h 20, 72 h; else the same words."""
    words = duration(seconds)
    return words.removesuffix(" min").removesuffix(" 00") if " h " in words else words


@register.filter
def number_and_unit(seconds: float | None) -> list[tuple[str, str]]:
    """The same, in pairs, for numbers set larger than their units."""
    words = duration(seconds).split()
    return list(zip(words[::2], words[1::2], strict=False))


@register.filter
def age(moment: datetime | None) -> str:
    """How long ago, in the same words."""
    return duration(max((timezone.now() - moment).total_seconds(), 0)) if moment else gettext("none")


@register.filter
def moment(at: datetime | None) -> str:
    """14:32 within the last day, before that 3 Nov."""
    return moments.moment_of(at) if at else gettext("none")


@register.filter
def clock(at: datetime | None) -> str:
    """The time of day with its date, for the ends of a span: 3 Nov, 14:32."""
    return moments.clock_of(at) if at else gettext("none")


@register.filter
def stamp(at: datetime | None) -> str:
    """29 Nov 2026, 14:32."""
    return moments.stamp_of(at) if at else ""


@register.filter
def exact(at: datetime) -> str:
    """With seconds: what a clock's title says."""
    return moments.exact_of(at)


@register.filter
def day(at: datetime | date | None) -> str:
    """29 Nov 2026."""
    return moments.day_of(at) if at else ""


@register.filter
def second(at: datetime) -> str:
    return moments.second_of(at)


@register.filter
def weekday_in(at: datetime, zone: str) -> str:
    """In the zone of that name, which the page says beside it."""
    return moments.weekday_in(at, zone_of(zone) or UTC)


@register.filter
def hours(at: time) -> str:
    return moments.hours_of(at)


@register.filter
def month(at: date) -> str:
    return moments.month_of(at)


@register.filter
def iso(at: datetime | None) -> str:
    """For `datetime` attributes: what machines read stays in UTC."""
    return at.astimezone(UTC).isoformat() if at else ""


@register.simple_tag
def zone_name() -> str:
    """For scripts: the zone of this page's moments."""
    return timezone.get_current_timezone_name()


@register.simple_tag
def zone_said() -> str:
    """For people: Europe/Madrid (UTC+1)."""
    return moments.zone_words()


@register.filter
def thousands(number: int | None) -> str:
    return gettext("none") if number is None else numbers.grouped(number)


@register.filter
def percent(share: float | None, digits: int = 1) -> str:
    return gettext("none") if share is None else numbers.percent(share, digits)


@register.filter
def rate(share: float) -> str:
    """A share that somebody set, with the digits they gave it: 95 %, 99.5 %, 99.99 %."""
    return f"{numbers.localized(f'{100 * share:.4g}')} %"


@register.filter
def share(value: float) -> str:
    """A share as percent for a place on a drawing: never localized, never beyond its ends."""
    return f"{100 * min(max(value, 0.0), 1.0):.2f}"


@register.filter
def points(difference: float | None) -> str:
    """A difference of shares in points, signed, with a true minus."""
    return gettext("none") if difference is None else numbers.localized(f"{100 * difference:+.1f}").replace("-", MINUS)


@register.filter
def signed(number: float | None, digits: int = 3) -> str:
    return gettext("none") if number is None else numbers.signed(number, digits)


@register.filter
def in_words(english: str, parts: dict[str, Any] | None = None) -> str:
    """A sentence of the record in the reader's language: `{{ event.sentence|in_words:event.parts }}`."""
    return sentences.in_words(english, parts or parts_of(english))


@register.filter
def words_of(kept: dict[str, Any], name: str) -> str:
    """The same of a sentence that lies in JSON, `parts` beside it; what an earlier release wrote has none."""
    return sentences.in_words(kept.get(name, ""), kept.get("parts"))


@register.filter
def stage_name(stage: str) -> str:
    """A stage of the loop in the reader's language."""
    return {
        "collect": gettext("Collect"),
        "annotate": gettext("Annotate"),
        "train": gettext("Train"),
        "evaluate": gettext("Evaluate"),
        "deploy": gettext("Deploy"),
        "monitor": gettext("Monitor"),
    }[stage]


@register.filter
def phase(name: str) -> str:
    """What a worker is doing, in the reader's language; what it says in a sentence of its own stays as it is."""
    known = {
        "training": gettext("training"),
        "reading labels": gettext("reading labels"),
        "keeping the model": gettext("keeping the model"),
    }
    attempt = name.removeprefix("resuming, attempt ")
    return known.get(name) or (gettext("resuming, attempt {n}").format(n=attempt) if attempt != name else name)


@register.filter
def strategy_title(name: str) -> str:
    """The title that the settings' form offers; an uninstalled strategy keeps its name."""
    found = STRATEGIES.get(name)
    return gettext(found.title) if found else name


@register.filter
def encoder_title(name: str) -> str:
    """The title that the settings' form offers; an encoder that an admin brought has its name alone."""
    found = ENCODERS.get(name)
    return gettext(found.title) if found else name or gettext("none")


@register.filter
def item(mapping: Any, key: str) -> Any:
    return mapping.get(key) if mapping else None


@register.simple_tag
def icon(name: str) -> SafeString:
    """A 16 px icon of the sprite in base.html."""
    return format_html('<svg class="i" aria-hidden="true"><use href="#i-{}"/></svg>', name)


@register.simple_tag
def glyph(stage: str) -> SafeString:
    """The shape of a stage."""
    return format_html('<svg class="g s-{}" aria-hidden="true"><use href="#g-{}"/></svg>', stage, stage)


@register.simple_tag
def status(kind: str, words: Any, icon_name: str = "") -> SafeString:
    """A status: icon and word, never color alone. kind: ok warn breach paused running."""
    return format_html(
        '<span class="st {}"><svg class="i" aria-hidden="true"><use href="#i-{}"/></svg>{}</span>',
        kind,
        icon_name or kind,
        words,
    )
