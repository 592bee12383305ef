"""How much each old label counts in a run that mends an alarm: computed once, kept as a file, read again by whoever goes on."""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from apps.datasets.versions import VersionRow
from apps.integrations import wiring
from apps.integrations.ports import Unavailable
from apps.loop.mending.shift import ShiftFacts, is_old, run_shift_counted, run_shift_of, shift_facts
from apps.loop.models import RunShift
from apps.monitoring.models import AskedPayload
from apps.projects.models import Project
from apps.rules.mending import (
    ShiftKind,
    density_ratio,
    density_weights,
    effective,
    prior_weights,
    stale_rows,
    wrong_parts,
)
from apps.rules.sentences import Sentence, joined, parts_of, sentence
from apps.rules.words import percent
from apps.training.models import Run
from workers.encoders import encoder_ready
from workers.tasks.bundles import bundle_today
from workers.tasks.rows import asked_rows, rows_of
from workers.training.encoders.encoder import encoded
from workers.training.models.bundle import Bundle, BundleUnreadable, predict
from workers.training.models.inputs import Rows
from workers.training.models.words import TextRows

MOST_COLUMNS = 512  # of a row as the rules compare it; neighbours are averaged, as pixels are
PART = 5_000  # rows fetched at once
MOST_TOLD = 4  # labels in a sentence
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class OldLabels:
    """`counts` by example, 1 where it is not named and 0 where it is left out; None where all count alike. `words` say so."""

    kind: ShiftKind
    counts: Mapping[int, float] | None
    words: str


def old_labels(run: Run, rows: Sequence[VersionRow]) -> OldLabels | None:
    """Of the run's own rows, those for training; None for a run that no alarm started. Raises Unavailable where the file of a run
    that is repeated is gone."""
    shift = run_shift_of(run)
    if shift is None:
        return None
    kind = ShiftKind(shift.kind)
    if kind is ShiftKind.NONE:
        return OldLabels(kind, None, sentence("All labels count alike."))
    if shift.counts_url:
        return OldLabels(kind, *_read(wiring.storage().read(shift.counts_url)))
    counts, words = _counted(shift, kind, rows)
    url = wiring.storage().write(f"shifts/{run.project_id}/{run.pk}.parquet", _written(counts, words))
    run_shift_counted(run_id=shift.pk, counts_url=url)
    return OldLabels(kind, counts, words)


def _written(counts: Mapping[int, float] | None, words: str) -> bytes:
    found = counts or {}
    table = pa.table(
        {"example_id": pa.array(list(found), pa.int64()), "counts": pa.array(list(found.values()), pa.float64())}
    )
    about = {"words": words, "parts": json.dumps(parts_of(words)), "alike": str(counts is None)}
    file = io.BytesIO()
    pq.write_table(table.replace_schema_metadata(about), file)
    return file.getvalue()


def _read(content: bytes) -> tuple[Mapping[int, float] | None, str]:
    table = pq.read_table(io.BytesIO(content))
    about = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
    counts = dict(zip(table["example_id"].to_pylist(), table["counts"].to_pylist(), strict=True))
    words = Sentence(about["words"], json.loads(about["parts"]))
    return None if about["alike"] == "True" else counts, words


def _counted(shift: RunShift, kind: ShiftKind, rows: Sequence[VersionRow]) -> tuple[Mapping[int, float] | None, str]:
    facts = shift_facts(shift)
    if facts is None:
        return None, sentence("The alarm or its model is gone, so all labels count alike.")
    lane = {pk for pk, _ in facts.learned}
    old = sorted((row for row in rows if row.example_id not in lane), key=lambda row: (row.resolved_at, row.example_id))
    if kind is ShiftKind.LABEL:
        return _by_prior(facts, old)
    try:
        seen = Seen(facts.version.project, bundle_today(facts.version.run))
    except (Unavailable, BundleUnreadable):
        return None, sentence("The model of the alarm cannot be read, so all labels count alike.")
    return _by_density(seen, facts, old, shift.pk) if kind is ShiftKind.COVARIATE else _stale(seen, facts, old, shift)


def _by_prior(facts: ShiftFacts, old: Sequence[VersionRow]) -> tuple[Mapping[int, float] | None, str]:
    weights = prior_weights(np.asarray(facts.confusion, float), np.asarray(facts.answered, float))
    if weights is None:
        return None, sentence(
            "The mix of its answers could be as it was, or there are too few, so all labels count alike."
        )
    of_label = dict(zip(facts.names, weights.tolist(), strict=True))
    counts = {row.example_id: of_label.get(row.label, 1.0) for row in old}
    mean = sum(counts.values()) / max(len(counts), 1)
    furthest = sorted(of_label, key=lambda name: -abs(np.log(of_label[name])))[:MOST_TOLD]
    told = joined([sentence("“{name}” {times:.2f} times", name=name, times=of_label[name]) for name in furthest], ", ")
    words = sentence("Old labels count as often as the window has them: {told}.", told=told)
    return {pk: weight / mean for pk, weight in counts.items()}, words


def _by_density(
    seen: "Seen", facts: ShiftFacts, old: Sequence[VersionRow], seed: int
) -> tuple[Mapping[int, float] | None, str]:
    asked = seen.asked(facts.payloads)
    weights = density_weights(seen.stored([row.example_id for row in old]), asked, seed=seed)
    if weights is None:
        return None, sentence(
            "No classifier tells the window from the old rows, or it is too small, so all labels count alike."
        )
    words = sentence(
        "Old rows count by how like the window they are, {low:.1f} to {high:.1f} times: worth {worth:,.0f} of {n:,} rows.",
        low=float(weights.min()),
        high=float(weights.max()),
        worth=effective(weights),
        n=len(old),
    )
    return {row.example_id: float(weight) for row, weight in zip(old, weights, strict=True)}, words


def _stale(
    seen: "Seen", facts: ShiftFacts, old: Sequence[VersionRow], shift: RunShift
) -> tuple[Mapping[int, float] | None, str]:
    before = [row for row in old if is_old(row.resolved_at, shift)]
    names = sorted({row.label for row in old} | {label for _, label in facts.learned})
    place = {name: i for i, name in enumerate(names)}
    new, wrong = seen.stored([pk for pk, _ in facts.learned]), seen.wrong(facts.learned)
    there = seen.stored([row.example_id for row in before])
    inside = wrong_parts(new, wrong, there, usual=facts.usual_wrong, seed=shift.pk)
    ratio = density_ratio(there, seen.asked(facts.payloads), seed=shift.pk) if inside.any() else None
    left = [row for row in old if not is_old(row.resolved_at, shift)]
    fresh = [place[label] for label in (*(label for _, label in facts.learned), *(row.label for row in left))]
    dropped = stale_rows(
        inside, ratio, np.array([place[row.label] for row in before], np.int64), np.array(fresh, np.int64)
    )
    if not dropped.any():
        words = sentence("No old rows lie where new labels surely contradict the model, so all labels count alike.")
        return None, words
    words = sentence(
        "{n:,} of {all:,} old rows are left out: they lie where {wrong} of the new labels contradict the model.",
        n=int(dropped.sum()),
        all=len(before),
        wrong=percent(float(wrong.mean())),
    )
    return {row.example_id: 0.0 for row, gone in zip(before, dropped, strict=True) if gone}, words


class Seen:
    """Rows as the model of the alarm reads them, as numbers (n, d)."""

    def __init__(self, project: Project, bundle: Bundle) -> None:
        self.project, self.bundle = project, bundle

    def stored(self, example_ids: Sequence[int]) -> Floats:
        parts = [example_ids[i : i + PART] for i in range(0, len(example_ids), PART)]
        found = [self._numbers(rows_of(self.project, part, encoder=self.bundle.encoder)) for part in parts]
        return np.concatenate(found) if found else np.zeros((0, 1))

    def asked(self, payloads: Sequence[AskedPayload]) -> Floats:
        """What of the window can be read."""
        read = asked_rows(self.project, payloads)
        if not read:
            return np.zeros((0, 1))
        if not self.bundle.learner.reads_vectors:
            return self._numbers(read)
        encoder_ready(self.bundle.encoder)
        return self._numbers(encoded(self.bundle.encoder, read).astype(np.float32))

    def wrong(self, labeled: Sequence[tuple[int, str]]) -> NDArray[np.bool_]:
        """(n,) whether people say something else."""
        if not labeled:
            return np.zeros(0, bool)
        rows = rows_of(self.project, [pk for pk, _ in labeled], encoder=self.bundle.encoder)
        places, _ = self.bundle.learner.outputs.top(np.nan_to_num(predict(self.bundle, rows)))
        return np.array(
            [self.bundle.labels[int(i)] != name for i, (_, name) in zip(places, labeled, strict=True)], bool
        )

    def _numbers(self, rows: Rows) -> Floats:
        """Of texts their vectors alone, stored and asked alike."""
        rows = rows.vectors if isinstance(rows, TextRows) else rows
        found = np.nan_to_num(self.bundle.preprocessor.tensor(rows).flatten(1).numpy().astype(np.float64))
        wide = found.shape[1]
        if wide <= MOST_COLUMNS:
            return found
        starts = np.linspace(0, wide, MOST_COLUMNS, endpoint=False).astype(int)
        return np.asarray(np.add.reduceat(found, starts, axis=1) / np.diff([*starts, wide]))
