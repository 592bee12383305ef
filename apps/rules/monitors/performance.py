"""Whether answers are wrong more often than on the holdout, by labels that came back: one look at each loss, in order."""

from typing import Any, Literal

from pydantic import Field

from apps.rules.monitors.calibration import FACTORS
from apps.rules.monitors.evidence import MonitorEvidence, MonitorNeed
from apps.rules.monitors.loss_detectors import DETECTORS
from apps.rules.monitors.loss_scan import LossReference
from apps.rules.monitors.monitor import (
    CannotTell,
    Chance,
    DriftMonitor,
    FeatureMeasure,
    FeatureReading,
    MonitorCause,
    NothingToRead,
    RowsParameters,
    Severity,
    WindowJudgment,
    WindowTarget,
)
from apps.rules.monitors.nearest import by_wrong
from apps.rules.sentences import sentence
from apps.rules.words import percent

DETECTOR_WORDS = {
    "scan": "Likelihood ratio over all stretches",
    "adwin": "ADWIN",
    "page-hinkley": "Page-Hinkley",
    "hddm-w": "HDDM_W",
    "kswin": "KSWIN",
}


class PerformanceParameters(RowsParameters):
    least_rows: int = Field(
        30,
        ge=1,
        le=1_000_000,
        title="Least labels",
        description="That came back, and of the holdout, to tell anything.",
    )
    detector: Literal["scan", "adwin", "page-hinkley", "hddm-w", "kswin"] = Field(
        "scan", title="Detector", json_schema_extra={"words": {**DETECTOR_WORDS}}
    )
    tolerance: float = Field(
        0.02,
        ge=0,
        le=1,
        title="Tolerance",
        description="By which the share of wrong answers may rise: 0.02 is two points.",
    )


def _judge(of: MonitorEvidence, parameters: PerformanceParameters, target: WindowTarget) -> WindowJudgment:
    """The budget holds by losses and not by windows: what comes in a month may raise so many alarms."""
    stream = of.losses
    if stream is None or not stream.reference_answers:
        raise NothingToRead(sentence("No labels came back yet."))
    if min(len(stream.wrong), stream.reference_answers) < parameters.least_rows:
        raise CannotTell(
            sentence(
                "Only {n} labels came back that are mature; {least} are needed to tell.",
                n=len(stream.wrong),
                least=parameters.least_rows,
            )
        )
    if not stream.fresh:
        raise CannotTell(sentence("No label became mature since the last look."))
    reference = LossReference(stream.reference_wrong, stream.reference_answers, parameters.tolerance)
    per_loss = {f: target.per_window * f / stream.fresh for f in FACTORS}
    found = DETECTORS[parameters.detector].looked(stream.wrong, stream.fresh, reference, per_loss, target.seed)
    raised = found.score >= found.thresholds[1.0]
    before = stream.reference_wrong / stream.reference_answers
    now = stream.wrong[-found.stretch :].mean() if found.stretch else stream.wrong[-stream.fresh :].mean()
    reason = sentence(
        "{now} of the newest {n:,} answers with a label were wrong ({before} on the holdout)",
        now=percent(float(now), 1),
        n=found.stretch or stream.fresh,
        before=percent(before, 1),
    )
    shown = {"names": [sentence("wrong")], "reference": [before], "window": [float(now)]}
    feature = FeatureReading(
        "loss", found.score, found.thresholds[1.0], 0.0 if raised else 1.0, bool(raised), reason, shown
    )
    return WindowJudgment(found.score, found.thresholds, (feature,), stream.fresh, found.at)


def _measure(of: MonitorEvidence, parameters: Any, chance: Chance) -> list[FeatureMeasure]:
    raise NotImplementedError("a stream is judged loss by loss")


PERFORMANCE = DriftMonitor(
    "performance",
    "Wrong answers",
    _measure,
    parameters=PerformanceParameters,
    severity=Severity.ALARMS,
    needs=frozenset({MonitorNeed.LOSSES}),
    standing=True,
    window_hours=1,
    cause=MonitorCause.LOSS,
    judge=_judge,
    nearest=by_wrong,
)
