"""What a report says, in rows and words ready for a page. It measures nothing."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext, gettext_lazy, ngettext

from apps.evaluation.models import Outcome, Report
from apps.pages.numbers import decimal, percent, points, signed

TITLES = {
    "accuracy": gettext_lazy("Accuracy"),
    "macro_f1": gettext_lazy("Macro F1"),
    "log_loss": gettext_lazy("Log-loss"),
    "calibration_error": gettext_lazy("Calibration error"),
}
SHARES = ("accuracy", "macro_f1", "calibration_error")
LOWER_IS_BETTER = ("log_loss", "calibration_error")


@dataclass(frozen=True)
class MetricRow:
    """One metric of candidate and champion; words, with a true minus and the interval spelled out."""

    title: str
    champion: str
    candidate: str
    interval: str
    difference: str
    between: str
    reading: str
    kind: str  # ok | breach | paused | empty where there is nothing to compare


@dataclass(frozen=True)
class ClassRow:
    label: str
    support: int
    recall: str
    precision: str
    mistaken_for: str


@dataclass(frozen=True)
class MetricReading:
    headline: str
    rows: tuple[MetricRow, ...]
    classes: tuple[ClassRow, ...]
    settles: int | None


def reading_of(report: Report) -> MetricReading:
    return MetricReading(
        headline(report),
        tuple(_row(name, report) for name in TITLES if name in report.metrics),
        _classes(report),
        max((g["more_labels"] for g in report.deciding_gates if g.get("more_labels")), default=None),
    )


def headline(report: Report) -> str:
    """Pass: all 5 gates | Fail: 1 of 5 gates | Inconclusive: 2 of 5 gates cannot tell."""
    outcome, gates = Outcome(report.outcome), report.deciding_gates
    of = len(gates)
    if of <= 1:
        return str(outcome.label)
    if outcome == Outcome.PASS:
        return gettext("Pass: all {gates} gates").format(gates=of)
    n = sum(g["outcome"] == outcome for g in gates)
    words = (
        gettext("Fail: {n} of {gates} gates")
        if outcome == Outcome.FAIL
        else ngettext(
            "Inconclusive: {n} of {gates} gates cannot tell", "Inconclusive: {n} of {gates} gates cannot tell", n
        )
    )
    return words.format(n=n, gates=of)


def _row(name: str, report: Report) -> MetricRow:
    say = (lambda v: percent(v, 1)) if name in SHARES else (lambda v: decimal(v, 3))
    candidate = report.metrics.get(name) or {}
    champion = (report.baseline_metrics or {}).get(name) or {}
    change = (report.differences or {}).get(name) or {}
    step = points if name in SHARES else (lambda v: signed(v, 3))
    kind, words = _judged(change, name in LOWER_IS_BETTER)
    return MetricRow(
        title=str(TITLES[name]),
        champion=_said(champion.get("value"), say),
        candidate=_said(candidate.get("value"), say),
        interval=_between(candidate, say),
        difference=_said(change.get("value"), step) if change else "",
        between=_between(change, step),
        reading=words,
        kind=kind,
    )


def _judged(change: dict[str, Any], lower_is_better: bool) -> tuple[str, str]:
    """Zero inside the interval may be chance; else the sign says which way."""
    low, high = change.get("low"), change.get("high")
    if low is None or high is None:
        return ("paused", gettext("too few examples to tell")) if change else ("", "")
    if low <= 0 <= high:
        return "paused", gettext("may be chance")
    return ("ok", gettext("better")) if (low > 0) != lower_is_better else ("breach", gettext("worse"))


def _said(value: float | None, say: Any) -> str:
    return gettext("none") if value is None else str(say(value))


def _between(interval: dict[str, Any], say: Any) -> str:
    low, high = interval.get("low"), interval.get("high")
    return (
        ""
        if low is None or high is None
        else gettext("{low} to {high}").format(low=str(say(low)).removesuffix(" %"), high=say(high))
    )


def _mistaken(report: Report, truth: int) -> str:
    """What a label is most often taken for: “refund”, 4 times."""
    row = report.confusion[truth] if truth < len(report.confusion) else []
    times, said = max(((cell, j) for j, cell in enumerate(row) if j != truth), default=(0, 0))
    return f"“{report.label_names[said]}”, {'once' if times == 1 else f'{times} times'}" if times else ""


def _classes(report: Report) -> tuple[ClassRow, ...]:
    """Worst recall first: there the next labels help most."""
    rows = []
    for index, each in enumerate(report.per_class):
        rows.append((each, _mistaken(report, index)))
    rows.sort(key=lambda r: (r[0].get("recall") is None, r[0].get("recall") or 0))
    return tuple(
        ClassRow(
            each["label"],
            each["support"],
            _said(each.get("recall"), percent),
            _said(each.get("precision"), percent),
            mistaken,
        )
        for each, mistaken in rows
    )
