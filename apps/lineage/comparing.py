"""Any runs side by side: what their recipes do not share, their curves, each class, cost and verdict."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext

from apps.errors import Invalid, NotFound
from apps.evaluation.models import Report
from apps.pages.numbers import grouped
from apps.projects.models import Project
from apps.releases.models import ModelVersion
from apps.training.models import Run, RunPoint
from apps.training.selectors import runs_listed

LEAST, MOST = 2, 8  # more lines than eight are told apart by nobody
MOST_POINTS = 300  # of one curve; a long run reports thousands


@dataclass(frozen=True)
class Side:
    """One of the runs, with what it led to."""

    run: Run
    report: Report | None
    model: ModelVersion | None

    @property
    def classes(self) -> dict[str, dict[str, Any]]:
        return {str(each["label"]): each for each in self.report.per_class} if self.report else {}

    @property
    def device_s_a_thousand(self) -> float | None:
        return 1000 * self.run.device_s / self.run.labels if self.run.labels and self.run.device_s else None


@dataclass(frozen=True)
class Setting:
    """What is not the same in all runs, as words, in the order of the runs."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class ComparedClass:
    """How much of a class each run finds: (share, change against the first run that has one)."""

    label: str
    support: int
    cells: tuple[tuple[float | None, float | None], ...]

    @property
    def biggest_change(self) -> float:
        return max((abs(change) for _, change in self.cells if change is not None), default=0.0)


@dataclass(frozen=True)
class Comparison:
    sides: tuple[Side, ...]
    settings: tuple[Setting, ...]
    classes: tuple[ComparedClass, ...]
    same_holdout: bool

    @property
    def numbers(self) -> str:
        return ",".join(str(side.run.number) for side in self.sides)


def numbers_asked(given: Sequence[str]) -> tuple[int, ...]:
    """`["1", "2,3"]` as (1, 2, 3), each once. Raises Invalid in words; nothing at all is no mistake, only empty."""
    words = [word.strip() for each in given for word in each.split(",") if word.strip()]
    wrong = [w for w in words if not (w.isascii() and w.isdigit() and len(w) < 10)]
    if wrong:
        raise Invalid(gettext("“{word}” is not the number of a run.").format(word=wrong[0][:40]), field="runs")
    numbers = tuple(dict.fromkeys(int(word) for word in words))
    if numbers and not LEAST <= len(numbers) <= MOST:
        raise Invalid(
            gettext("Choose {least} to {most} runs; you chose {chosen}.").format(
                least=LEAST, most=MOST, chosen=len(numbers)
            ),
            field="runs",
        )
    return numbers


def runs_compared(project: Project, numbers: Sequence[int]) -> list[Run]:
    """In the order asked for. Raises NotFound naming those that are not there."""
    found = {run.number: run for run in runs_listed(project).filter(number__in=numbers)}
    missing = [str(number) for number in numbers if number not in found]
    if missing:
        raise NotFound(gettext("This project has no run {numbers}.").format(numbers=", ".join(missing)))
    return [found[number] for number in numbers]


def comparison_of(project: Project, numbers: Sequence[int]) -> Comparison:
    sides = tuple(
        Side(run, getattr(run, "report", None), getattr(run, "model_version", None))
        for run in runs_compared(project, numbers)
    )
    holdouts = {(s.run.dataset_version_id, s.report.examples) for s in sides if s.report}
    return Comparison(sides, _settings([s.run for s in sides]), _classes(sides), len(holdouts) <= 1)


def _settings(runs: Sequence[Run]) -> tuple[Setting, ...]:
    """First what surrounds the recipe, then the recipe's own settings, then packages; what all share is left out."""
    none = gettext("none")
    rows: list[tuple[str, list[str]]] = [
        (gettext("kind"), [str(run.get_kind_display()) for run in runs]),
        (gettext("base"), [str(run.base_run.number) if run.base_run else none for run in runs]),
        (gettext("data version"), [str(r.dataset_version.number) if r.dataset_version else none for r in runs]),
        (gettext("labels"), [grouped(run.labels) for run in runs]),
        (gettext("seed"), [str(run.seed) for run in runs]),
        (gettext("device"), [run.device or none for run in runs]),
        (gettext("code"), [run.code_version[:12] or none for run in runs]),
    ]
    for kept in ([run.recipe for run in runs], [run.packages for run in runs]):
        names = dict.fromkeys(name for each in kept for name in each if name not in ("kind", "seed"))
        rows += [(name.replace("_", " "), [_word(each.get(name), none) for each in kept]) for name in names]
    return tuple(Setting(name, tuple(values)) for name, values in rows if len(set(values)) > 1)


def _word(value: Any, none: str) -> str:
    if value is None or value == "":
        return none
    return f"{value:g}" if isinstance(value, float) else str(value)


def _classes(sides: Sequence[Side]) -> tuple[ComparedClass, ...]:
    """The class that changed most first."""
    names = dict.fromkeys(name for side in sides for name in side.classes)
    rows = []
    for name in names:
        shares = [side.classes.get(name, {}).get("recall") for side in sides]
        first = next((share for share in shares if share is not None), None)
        place = shares.index(first) if first is not None else 0
        cells = tuple(
            (share, share - first if share is not None and first is not None and i != place else None)
            for i, share in enumerate(shares)
        )
        support = max(int(side.classes.get(name, {}).get("support") or 0) for side in sides)
        rows.append(ComparedClass(name, support, cells))
    return tuple(sorted(rows, key=lambda row: -row.biggest_change))


@dataclass(frozen=True)
class ComparedCurve:
    """One run over its epochs, None where nothing was measured."""

    run: Run
    epochs: tuple[float, ...]
    loss: tuple[float | None, ...]  # on validation rows where there are any, else on those trained on
    accuracy: tuple[float | None, ...]  # on the holdout


def curves_compared(project: Project, numbers: Sequence[int]) -> list[ComparedCurve]:
    """All points in one query."""
    runs = runs_compared(project, numbers)
    points: dict[int, list[RunPoint]] = {run.pk: [] for run in runs}
    for point in RunPoint.objects.filter(run__in=runs).order_by("run_id", "step"):
        points[point.run_id].append(point)
    return [_curve(run, _thinned(points[run.pk])) for run in runs]


def _curve(run: Run, points: Sequence[RunPoint]) -> ComparedCurve:
    validated = any(p.validation_loss is not None for p in points)
    return ComparedCurve(
        run,
        tuple(round(p.epoch, 4) for p in points),
        tuple(p.validation_loss if validated else p.train_loss for p in points),
        tuple(p.holdout_accuracy for p in points),
    )


def _thinned(points: Sequence[RunPoint]) -> Sequence[RunPoint]:
    """Every so many, and always the last."""
    if len(points) <= MOST_POINTS:
        return points
    every = -(-len(points) // MOST_POINTS)
    return [p for i, p in enumerate(points) if i % every == 0 or i == len(points) - 1]
