"""Pairs of people, answers over time and how long they take, as Plotly figures. No query, no HTML."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.pages.moments import clock_of, day_of
from apps.pages.numbers import decimal, grouped, percent, signed
from apps.pages.periods import Period
from apps.quality.times import NAMES, Durations, OverTime
from apps.quality.votes import Agreed
from apps.rules.agreement import Pair

Figure = dict[str, Any]
MOST = 20  # people on the map: those who met others most often
WRITTEN = 10  # people up to which each cell carries its number
FAST = 2  # buckets of NAMES below two seconds


def pairs(agreed: Agreed, names: Mapping[int, str]) -> Figure:
    """A square of everybody against everybody: kappa, or the likeness where there is none."""
    met = {who: p.meetings for who, p in agreed.partners.items()}
    shown = sorted(sorted(met, key=lambda who: (-met[who], who))[:MOST], key=lambda who: names[who])
    cells = {(p.one, p.other): p for p in agreed.pairs} | {(p.other, p.one): p for p in agreed.pairs}
    axis = {"type": "category", "showgrid": False, "dtick": 1, "tickangle": 0}
    labels = [names[who] for who in shown]
    return {
        "data": [
            {
                "type": "heatmap",
                "x": labels,
                "y": labels,
                "zmin": 0,
                "zmax": 1,
                "showscale": False,
                "xgap": 1,
                "ygap": 1,
                "z": [[_strength(cells.get((a, b))) for b in shown] for a in shown],
                "text": [[_cell(cells.get((a, b)), a == b) for b in shown] for a in shown],
                "colorscale": [[0, "var(--raised)"], [1, "var(--accent-soft)"]],
                "textfont": {"color": "var(--ink)"},
                "hoverongaps": False,
                "texttemplate": "%{text}" if len(shown) <= WRITTEN else None,
                "customdata": [[_meeting(cells.get((a, b))) for b in shown] for a in shown],
                "hovertemplate": "%{y}, %{x}<br>%{customdata}<extra></extra>",
            }
        ]
        if shown
        else [],
        "layout": {
            "xaxis": {**axis, "tickangle": -35 if len(shown) > 5 else 0},
            "yaxis": {**axis, "autorange": "reversed"},
            "hovermode": "closest",
            "meta": {
                "finding": _pairs_finding(agreed, names),
                "rows": _("person"),
                "empty": _("No two people have answered the same example yet."),
            },
        },
    }


def _strength(pair: Pair | None) -> float | None:
    if pair is None:
        return None
    return round(pair.share if pair.kappa is None else pair.kappa, 3)


def _cell(pair: Pair | None, same: bool) -> str:
    strength = _strength(pair)
    return "" if strength is None or same else decimal(strength, 2).replace("-", "\N{MINUS SIGN}")


def _meeting(pair: Pair | None) -> str:
    if pair is None:
        return ""
    shared = ngettext("{n} shared example", "{n} shared examples", pair.examples).format(n=grouped(pair.examples))
    same = _("{share} the same").format(share=percent(pair.share))
    if pair.kappa is None:
        return f"{shared}, {same}"
    kappa = _("kappa {k}").format(k=decimal(pair.kappa, 2).replace("-", "\N{MINUS SIGN}"))
    if pair.low is None or pair.high is None:
        return f"{shared}, {same}<br>{kappa}"
    between = _("between {low} and {high}").format(low=signed(pair.low, 2), high=signed(pair.high, 2))
    return f"{shared}, {same}<br>{kappa}, {between}"


def _pairs_finding(agreed: Agreed, names: Mapping[int, str]) -> str:
    enough = [p for p in agreed.pairs if p.examples >= 10 and _strength(p) is not None] or list(agreed.pairs)
    if not enough:
        return _("No two people have answered the same example yet.")
    least = min(enough, key=lambda p: (_strength(p), p.one, p.other))
    return _("{one} and {other} agree least: {share} of {n} shared examples.").format(
        one=names[least.one], other=names[least.other], share=percent(least.share), n=grouped(least.examples)
    )


def over_time(found: OverTime, period: Period) -> Figure:
    """One bar an hour, a day or a week, none left out, in the whole of the period."""
    total = sum(found.answers)
    return {
        "data": [
            {
                "type": "bar",
                "name": _("answers"),
                "x": [start.isoformat() for start in found.starts],
                "y": list(found.answers),
                "marker": {"color": "var(--accent)"},
                "hovertemplate": "%{y}",
            }
        ]
        if total
        else [],
        "layout": {
            "xaxis": {"type": "date", "range": [_local(period.since), _local(period.until)]},
            "yaxis": {"rangemode": "tozero", "tickformat": ",d", "title": {"text": _step(found.step)}},
            "bargap": 0.2,
            "meta": {
                "finding": _over_time_finding(found, total),
                "empty": _("Nobody has answered in this period."),
                "rows": _("from"),
            },
        },
    }


def _local(moment: datetime) -> str:
    """As the bars are: in the reader's zone, without it."""
    return timezone.localtime(moment).replace(tzinfo=None).isoformat()


def _step(step: str) -> str:
    return {"hour": _("answers an hour"), "day": _("answers a day"), "week": _("answers a week")}[step]


def _over_time_finding(found: OverTime, total: int) -> str:
    if not total:
        return _("Nobody has answered in this period.")
    most = max(range(len(found.answers)), key=lambda i: found.answers[i])
    start = found.starts[most]
    if found.step == "hour":
        words = ngettext(
            "{n} answer; most in the hour from {at}: {m}.", "{n} answers; most in the hour from {at}: {m}.", total
        )
    elif found.step == "week":
        words = ngettext(
            "{n} answer; most in the week from {at}: {m}.", "{n} answers; most in the week from {at}: {m}.", total
        )
    else:
        words = ngettext("{n} answer; most on {at}: {m}.", "{n} answers; most on {at}: {m}.", total)
    return words.format(n=grouped(total), at=_at(start, found.step), m=grouped(found.answers[most]))


def _at(start: datetime, step: str) -> str:
    return clock_of(start) if step == "hour" else day_of(start)


def durations(found: Durations, name: str = "") -> Figure:
    """Shares of answers by their active seconds; one person in blue before the team in gray."""
    series: list[tuple[str, tuple[int, ...], str]] = [(_("team"), found.team, "var(--ink-3)")]
    if found.own is not None:
        series.insert(0, (name, found.own, "var(--accent)"))
    drawn = [(label, times, color) for label, times, color in series if sum(times)]
    names = [words.replace(" to ", "\N{EN DASH}") for words in NAMES[1:-1]]
    names = [_("under {n}").format(n=1), *names, _("over {n}").format(n=160)]
    return {
        "data": [
            {
                "type": "bar",
                "name": label,
                "x": names,
                "y": [n / sum(times) for n in times],
                "marker": {"color": color},
                "text": [f"{percent(n / sum(times))} ({grouped(n)})" for n in times],
                "textposition": "none",
                "hovertemplate": "%{text}",
            }
            for label, times, color in drawn
        ],
        "layout": {
            "xaxis": {"type": "category", "title": {"text": _("seconds")}},
            "barmode": "group",
            "yaxis": {"tickformat": ".0%", "rangemode": "tozero"},
            "legend": {"orientation": "v", "x": 1, "xanchor": "right", "y": 1, "yanchor": "top"},
            "bargap": 0.25,
            "showlegend": len(drawn) > 1,
            "meta": {
                "finding": _durations_finding(found, name),
                "empty": _("No answer has a known time on screen yet."),
                "rows": _("active seconds"),
            },
        },
    }


def _durations_finding(found: Durations, name: str) -> str:
    times: tuple[int, ...] = found.own or ()
    if not any(times):
        times = found.team
    total = sum(times)
    if not total:
        return _("No answer has a known time on screen yet.")
    fast = sum(times[:FAST])
    words = ngettext("{n} of {total} answers took under 2 s.", "{n} of {total} answers took under 2 s.", fast).format(
        n=grouped(fast), total=grouped(total)
    )
    return f"{name}: {words}" if times is found.own else words
