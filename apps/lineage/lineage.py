"""Where a model version comes from: data, labels, people and machines, code, recipe, packages, and the models before it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count

from apps.datasets.models import DatasetVersion
from apps.datasets.versions import VersionRow, VersionUnreadable, version_rows
from apps.labeling.models import Annotation, LabelSource
from apps.projects.models import Project
from apps.releases.models import ModelVersion
from apps.releases.selectors import version_in
from apps.training.models import Run
from apps.training.services.clones import RunDifference, differences_now

MOST_STEPS = 50  # of the way back from an incremental model to a full one
CHUNK = 20_000  # ids in one query


@dataclass(frozen=True)
class Counted:
    name: str
    labels: int


@dataclass(frozen=True)
class Sources:
    """Of the labels in the version that are outside the holdout; `unreadable` says why nothing can be told."""

    rows: int = 0
    holdout_rows: int = 0
    by_source: tuple[Counted, ...] = ()
    by_annotator: tuple[Counted, ...] = ()  # answers that stood behind these labels
    by_function: tuple[Counted, ...] = ()
    answers: int = 0
    unreadable: str = ""


@dataclass(frozen=True)
class Lineage:
    version: ModelVersion
    run: Run
    data: DatasetVersion | None
    sources: Sources
    recipe: tuple[tuple[str, Any], ...]
    packages: tuple[tuple[str, str], ...]
    bases: tuple[Run, ...]  # the newest first
    repetitions: tuple[Run, ...]
    differs: tuple[RunDifference, ...]  # from the run that this one is a copy of, with changes

    @property
    def reproduced(self) -> bool | None:
        """Whether the newest repetition that ended gave the same weights; None before there was one."""
        compared = next((r.comparison for r in self.repetitions if r.comparison), None)
        return bool(compared["weights_equal"]) if compared else None


def lineage_of(project: Project, version_id: int) -> Lineage:
    version = version_in(project, version_id)
    run = version.run
    repeats = Run.objects.filter(reproduces=run).order_by("-number")[:10]
    return Lineage(
        version,
        run,
        run.dataset_version,
        sources_of(run.dataset_version),
        tuple(sorted(run.recipe.items())),
        tuple(sorted(run.packages.items())),
        tuple(bases_of(run)),
        tuple(repeats),
        tuple(differences_now(run)),
    )


def bases_of(run: Run) -> list[Run]:
    """The run it started from, the one before that, and so on back to a run from scratch."""
    before = dict(Run.objects.filter(project_id=run.project_id).values_list("pk", "base_run_id"))
    ids: list[int] = []
    step = run.base_run_id
    while step is not None and step not in ids and len(ids) < MOST_STEPS:
        ids.append(step)
        step = before.get(step)
    found = Run.objects.select_related("dataset_version", "model_version").in_bulk(ids)
    return [found[pk] for pk in ids if pk in found]


def sources_of(data: DatasetVersion | None) -> Sources:
    """Counts over the rows of the version; the holdout is counted apart, since nothing learned from it."""
    if data is None:
        return Sources()
    try:
        rows = version_rows(data)
    except VersionUnreadable as cause:
        return Sources(unreadable=str(cause))
    taught = [r for r in rows if not r.holdout]
    answers = [pk for r in taught for pk in r.annotations]
    return Sources(
        rows=len(taught),
        holdout_rows=len(rows) - len(taught),
        answers=len(answers),
        by_source=_ranked(Counter(_source_words(r) for r in taught)),
        by_annotator=_ranked(_people(answers)),
        by_function=_ranked(Counter(name for r in taught for name in r.functions)),
    )


def _source_words(row: VersionRow) -> str:
    return str(LabelSource(row.source).label) if row.source in LabelSource.values else ""


def _people(answers: Sequence[int]) -> Counter[str]:
    """Display names may repeat, so people are counted by the name they sign in with and shown by the other."""
    counts: Counter[tuple[str, str]] = Counter()
    for start in range(0, len(answers), CHUNK):
        some = Annotation.objects.filter(pk__in=answers[start : start + CHUNK])
        for shown, name, n in some.values_list("annotator__display_name", "annotator__username").annotate(
            n=Count("pk")
        ):
            counts[shown, name] += n
    repeated = Counter(shown for shown, _ in counts)
    return Counter({f"{s or n} ({n})" if repeated[s] > 1 or not s else s: k for (s, n), k in counts.items()})


def _ranked(counts: Counter[str]) -> tuple[Counted, ...]:
    ranked: Iterable[tuple[str, int]] = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return tuple(Counted(name, n) for name, n in ranked)
