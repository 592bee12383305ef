"""What the page of a report shows, read once: gates with what they saw, calibration, and where candidate and champion differ."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from apps.datasets.selectors import external_ids_of
from apps.evaluation.models import Report
from apps.evaluation.reading import MetricReading, reading_of
from apps.evaluation.selectors import predictions_of
from apps.evaluation.services import HoldoutPredictions
from apps.integrations.ports import Unavailable

SHOWN = 20  # examples where the two differ
BINS = 10  # of certainty, equally wide


@dataclass(frozen=True)
class CertaintyBin:
    """Examples that the model was about as sure of; `right` is the share that it had right."""

    low: float
    high: float
    n: int
    certainty: float
    right: float


@dataclass(frozen=True)
class DifferingExample:
    """`external_id` is empty where the example was deleted since."""

    example_id: int
    external_id: str
    truth: str
    candidate: str
    candidate_confidence: float
    champion: str
    champion_confidence: float

    @property
    def lost(self) -> bool:
        return self.champion == self.truth

    @property
    def gained(self) -> bool:
        return self.candidate == self.truth


@dataclass(frozen=True)
class Differing:
    """How often the candidate alone is wrong, alone is right, or both are in different ways; and some of each."""

    lost: int = 0
    gained: int = 0
    neither: int = 0
    examples: tuple[DifferingExample, ...] = ()

    @property
    def n(self) -> int:
        return self.lost + self.gained + self.neither


@dataclass(frozen=True)
class ReportPage:
    report: Report
    reading: MetricReading
    gates: tuple[dict[str, Any], ...]
    bins: tuple[CertaintyBin, ...] = ()
    differing: Differing | None = None  # None where no champion’s answers were kept
    unreadable: bool = False  # the file with single answers
    examples: dict[int, str] = field(default_factory=dict)  # external ids of those that gates name

    def details_of(self, key: str) -> list[dict[str, Any]]:
        """Of the gates that kept figures of this kind, each with the gate's name."""
        return [{**gate["details"], "gate": gate} for gate in self.gates if key in gate.get("details", {})]

    @property
    def slices(self) -> list[dict[str, Any]]:
        return self.details_of("slices")

    @property
    def groups(self) -> list[dict[str, Any]]:
        return self.details_of("tables")

    @property
    def trials(self) -> list[dict[str, Any]]:
        return self.details_of("p95_ms")

    @property
    def faults(self) -> list[dict[str, Any]]:
        return [each for each in self.details_of("faults") if each["faults"]]


def report_page(report: Report) -> ReportPage:
    gates = tuple(report.gates)
    try:
        said = predictions_of(report)
    except Unavailable:
        return ReportPage(report, reading_of(report), gates, unreadable=True)
    named = [i for gate in gates for i in gate.get("details", {}).get("worst", {}).get("examples", [])]
    places = _chosen(said)
    known = external_ids_of([*named, *(said.example_ids[place] for place in places)])
    differing = _differing(said, places, known) if said.champion else None
    return ReportPage(
        report, reading_of(report), gates, bins_of(said), differing, False, {i: known.get(i, "") for i in named}
    )


def bins_of(said: HoldoutPredictions) -> tuple[CertaintyBin, ...]:
    """Those that have an example."""
    kept: dict[int, list[tuple[float, bool]]] = {}
    for truth, predicted, sure in zip(said.truth, said.predicted, said.confidence, strict=True):
        if sure == sure:  # not NaN: a model whose probabilities are no numbers has no certainty
            kept.setdefault(min(int(sure * BINS), BINS - 1), []).append((sure, truth == predicted))
    return tuple(
        CertaintyBin(
            place / BINS,
            (place + 1) / BINS,
            len(rows),
            sum(sure for sure, _ in rows) / len(rows),
            sum(right for _, right in rows) / len(rows),
        )
        for place, rows in sorted(kept.items())
    )


def _chosen(said: HoldoutPredictions) -> list[int]:
    """Places of examples to show: those that the candidate lost first, then those it gained, the surest of each first."""
    differ = [i for i, other in enumerate(said.champion) if other != said.predicted[i]]

    def rank(place: int) -> tuple[int, float]:
        lost, gained = said.champion[place] == said.truth[place], said.predicted[place] == said.truth[place]
        return (0 if lost else 1 if gained else 2, -said.confidence[place])

    ordered = sorted(differ, key=rank)
    lost = [i for i in ordered if rank(i)[0] == 0]
    rest = [i for i in ordered if rank(i)[0] != 0]
    room = max(SHOWN // 2, SHOWN - len(rest))  # both ways are shown where both are there
    return [*lost[:room], *rest][:SHOWN]


def _differing(said: HoldoutPredictions, places: Sequence[int], known: dict[int, str]) -> Differing:
    rows = zip(said.truth, said.predicted, said.champion, strict=True)
    differ = [(truth, mine, theirs) for truth, mine, theirs in rows if mine != theirs]
    lost = sum(theirs == truth for truth, _, theirs in differ)
    gained = sum(mine == truth for truth, mine, _ in differ)
    examples = tuple(
        DifferingExample(
            said.example_ids[i],
            known.get(said.example_ids[i], ""),
            said.truth[i],
            said.predicted[i],
            said.confidence[i],
            said.champion[i],
            said.champion_confidence[i],
        )
        for i in places
    )
    return Differing(lost, gained, len(differ) - lost - gained, examples)
