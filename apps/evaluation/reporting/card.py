"""The model card of a report: Markdown of the same figures as its page, in English, as records are."""

from collections.abc import Iterable, Sequence
from typing import Any

from apps.evaluation.reporting.page import ReportPage
from apps.rules.words import percent, plain_number, signed

METRICS = {
    "accuracy": "Accuracy",
    "macro_f1": "Macro F1",
    "log_loss": "Log-loss",
    "calibration_error": "Calibration error",
}
SHARES = ("accuracy", "macro_f1", "calibration_error")


def model_card(page: ReportPage, *, model: str, version: int | None) -> str:
    """`model` is what the project's model is called where it serves; `version` is None until the run has one."""
    report, run = page.report, page.report.run
    parts = [
        [f"# {_plain(model)}{f' v{version}' if version else ''}: model card"],
        _facts(page),
        [
            "## Verdict",
            f"**{report.outcome}** on {report.examples:,} holdout examples that no run trains on.",
            _override(page),
        ],
        [_table(("Gate", "Blocks", "Verdict", "Reason"), _gates(page))],
        ["## Metrics", "With 95 % bootstrap intervals; differences are paired.", _table(*_metrics(page))],
        ["## By label", _table(("Label", "Examples", "Found", "Right when said"), _labels(page))],
        *([["## Slices", *_slices(page)]] if page.slices else []),
        *([["## Groups", *_groups(page)]] if page.groups else []),
        ["## Calibration", _table(("Certainty", "Examples", "Mean certainty", "Right"), _bins(page))]
        if page.bins
        else [],
        *([["## Serving", *_trials(page)]] if page.trials else []),
        _differing(page),
        ["## Recipe", _table(("Setting", "Value"), sorted((run.recipe or {}).items()))],
    ]
    return "\n\n".join(line for part in parts for line in part if line) + "\n"


def _facts(page: ReportPage) -> list[str]:
    report, run = page.report, page.report.run
    version = run.dataset_version
    lines = [
        f"- Task: {run.project.task_type}; labels: {', '.join(map(_plain, report.label_names))}",
        f"- Run {run.number}, {run.kind}, seed {run.seed}, {run.labels or 0:,} labels",
        f"- Judged {report.finished_at:%Y-%m-%d %H:%M} UTC",
        f"- Data version {version.number}, digest {version.digest[:16]}" if version else "",
        f"- Beside run {report.baseline_run.number}, the champion then"
        if report.baseline_run
        else "- Beside no champion",
        f"- Gate policy {report.gate_policy.number if report.gate_policy else 0}",
    ]
    return ["\n".join(line for line in lines if line)]


def _override(page: ReportPage) -> str:
    report = page.report
    if not report.overridden:
        return ""
    return f"Gates overridden by {_plain(str(report.overridden_by or 'somebody who is gone'))}: {_plain(report.override_reason)}"


def _gates(page: ReportPage) -> Iterable[Sequence[Any]]:
    for gate in page.gates:
        yield gate["title"], "yes" if gate.get("blocking", True) else "warns", gate["outcome"], gate["reason"]


def _metrics(page: ReportPage) -> tuple[Sequence[str], Sequence[Sequence[Any]]]:
    report = page.report
    rows = []
    for name, title in METRICS.items():
        mine, theirs = report.metrics.get(name) or {}, (report.baseline_metrics or {}).get(name) or {}
        change = (report.differences or {}).get(name) or {}
        rows.append((title, _interval(name, mine), _value(name, theirs.get("value")), _change(name, change)))
    if report.baseline_run is None:
        return ("Metric", "Candidate"), [row[:2] for row in rows]
    return ("Metric", "Candidate", "Champion", "Change"), rows


def _labels(page: ReportPage) -> Iterable[Sequence[Any]]:
    for each in page.report.per_class:
        yield each["label"], each["support"], _share(each.get("recall")), _share(each.get("precision"))


def _slices(page: ReportPage) -> Iterable[str]:
    for each in page.slices:
        rows = [
            (
                s["name"],
                s["n"],
                _share(s["candidate"]),
                _share(s["champion"]),
                signed(100 * s["change"]),
                plain_number(s["q"], 3),
            )
            for s in each["slices"]
        ]
        yield _table(("Slice", "Examples", "Candidate", "Champion", "Points", "q"), rows)


def _groups(page: ReportPage) -> Iterable[str]:
    for each in page.groups:
        for table in each["tables"]:
            yield f"{_plain(table['column'])}, answers of “{_plain(table['label'])}”"
            rates = ("accuracy", "selection_rate", "true_positive_rate", "false_positive_rate")
            rows = [(g["group"], g["n"], *(_share(g[rate]) for rate in rates)) for g in table["groups"]]
            yield _table(("Group", "Examples", "Accuracy", "Answered", "Where true", "Where false"), rows)


def _bins(page: ReportPage) -> Iterable[Sequence[Any]]:
    for each in page.bins:
        yield f"{percent(each.low)} to {percent(each.high)}", each.n, percent(each.certainty, 1), percent(each.right, 1)


def _trials(page: ReportPage) -> Iterable[str]:
    for each in page.trials:
        yield (
            f"{each['requests']} requests in the predictor’s code: 95 % within {each['p95_ms']:.1f} ms, "
            f"{each['peak_mb']:,.0f} MB at most, loaded in {each['load_s']:.1f} s."
        )


def _differing(page: ReportPage) -> list[str]:
    found = page.differing
    if found is None or not found.n:
        return []
    words = (
        f"They differ on {found.n:,} examples: {found.lost:,} lost, {found.gained:,} gained, {found.neither:,} neither."
    )
    rows = [(e.external_id or e.example_id, e.truth, e.candidate, e.champion) for e in found.examples]
    return ["## Against the champion", words, _table(("Example", "Truth", "Candidate", "Champion"), rows)]


def _interval(name: str, metric: dict[str, Any]) -> str:
    if metric.get("low") is None or metric.get("high") is None:
        return _value(name, metric.get("value"))
    return f"{_value(name, metric['value'])} ({_value(name, metric['low'])} to {_value(name, metric['high'])})"


def _value(name: str, value: float | None) -> str:
    if value is None:
        return "not measured"
    return str(percent(value, 1)) if name in SHARES else str(plain_number(value, 3))


def _change(name: str, change: dict[str, Any]) -> str:
    if change.get("value") is None:
        return "not compared"
    scale, digits = (100, 1) if name in SHARES else (1, 3)
    said = [str(signed(scale * change[key], digits)) for key in ("value", "low", "high") if change.get(key) is not None]
    return f"{said[0]} ({said[1]} to {said[2]})" if len(said) == 3 else said[0]


def _share(value: float | None) -> str:
    return "none" if value is None else str(percent(value, 1))


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = ["| " + " | ".join(_plain(str(cell)) for cell in row) + " |" for row in rows]
    return "\n".join(["| " + " | ".join(head) + " |", "|" + " --- |" * len(head), *lines])


def _plain(words: str) -> str:
    """In one line that Markdown takes as it is."""
    flat = " ".join(words.split())
    for mark in ("\\", "`", "*", "_", "|", "<", "[", "]", "#"):
        flat = flat.replace(mark, "&lt;" if mark == "<" else f"\\{mark}")
    return flat
