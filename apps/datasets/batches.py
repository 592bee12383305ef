"""One batch of rows on its way in: what fits is stored, what does not fit is kept with its reason."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

from apps.datasets.content import canonical, digest_of
from apps.datasets.copying import ids_reserved, rows_copy
from apps.datasets.erasing import IdErased, erased_among, refuse_erased
from apps.datasets.letters import given_id, letter_of
from apps.datasets.models import DeadLetter, Example, ExampleBlob, Ingestion
from apps.datasets.readers import Row
from apps.projects import task_types
from apps.projects.models import Project
from apps.rules.holdout import in_holdout
from apps.rules.sentences import sentence, term, words_of
from apps.rules.values import ValueRefused, id_of, moment_of
from apps.work.locks import Lock, lock

_COLUMNS = (
    "id",
    "project_id",
    "external_id",
    "fields",
    "holdout",
    "collected_at",
    "ingested_at",
    "ingestion_id",
    "content_digest",
)


@dataclass(frozen=True, slots=True)
class StoredRow:
    """What a row said besides what its example shows, and of which example."""

    example_id: int
    fresh: bool  # the example came with this very batch
    digest: str
    holdout: bool
    row_number: int
    beside: Any


@dataclass(slots=True)
class KeptBeside:
    """Numbers of rows that said something new, and of those whose saying is not taken, with the reason."""

    new: set[int] = field(default_factory=set)
    refused: dict[int, str] = field(default_factory=dict)


class Beside(Protocol):
    """Labels, answers and guesses that stand in a row beside the example. This stage only carries them through."""

    def named(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The row under the names that the project knows, whatever the file calls its columns. Raises ValueRefused."""

    def read(self, values: Mapping[str, Any]) -> tuple[Mapping[str, Any], Any]:
        """The row without them, and them; None where there are none. Raises ValueRefused."""

    def check(self, said: Any, fields: Mapping[str, Any], at: datetime) -> Any:
        """Them in checked form, against what is stored of the example. Raises ValueRefused."""

    def keep(self, kept: Sequence[StoredRow], *, at: datetime) -> KeptBeside:
        """Store them within the batch's transaction."""


OnRepeated = Callable[[Sequence[str]], None]  # content digests that more than one example has


@dataclass(frozen=True)
class Intake:
    """Where a batch goes."""

    ingestion: Ingestion
    project: Project
    beside: Beside | None = None
    on_repeated: OnRepeated | None = None
    drawn: bool = True  # whether chance may put new examples into the holdout


@dataclass(slots=True)
class Arrival:
    """An example of the batch: known already, or new with what it shows."""

    external_id: str
    payload: task_types.Payload | None = None  # None: known already, and its fields were read from the database
    fields: Mapping[str, Any] = field(default_factory=dict)
    stored: str = ""
    digest: str = ""
    collected_at: datetime | None = None
    holdout: bool = False
    example_id: int = 0
    group: str = ""  # rows of one group stand on one side of the holdout


@dataclass(slots=True)
class Sorted:
    """The rows of a batch by what becomes of them."""

    arrivals: dict[str, Arrival] = field(default_factory=dict)
    first_row: dict[int, str] = field(default_factory=dict)  # row number -> the example that it brings
    beside: list[tuple[Row, Arrival, Any]] = field(default_factory=list)
    dead: list[DeadLetter] = field(default_factory=list)
    erased: set[str] = field(default_factory=set)  # ids that were deleted on request
    fitting: int = 0


def batch_take(intake: Intake, batch: Sequence[Row], at: datetime) -> None:
    """Within the caller's transaction. One batch of a project at a time: a COPY cannot step over what came meanwhile."""
    lock(Lock.EXAMPLES, intake.project.pk)
    found = _sorted(intake, batch, at)
    fresh = [x for x in found.arrivals.values() if x.payload is not None]
    repeated = _sides(intake, fresh)
    _store(intake, fresh, at)
    kept = _keep(intake, found, at)
    found.dead += [
        letter_of(intake.ingestion, r, kept.refused[r.number], at) for r in batch if r.number in kept.refused
    ]
    DeadLetter.objects.bulk_create(found.dead)
    if repeated and intake.on_repeated:
        intake.on_repeated(repeated)
    taken, ingestion = len((kept.new | set(found.first_row)) - set(kept.refused)), intake.ingestion
    ingestion.rows_taken += taken
    ingestion.rows_known += found.fitting - taken - len(kept.refused)
    ingestion.rows_refused += len(found.dead)
    ingestion.heartbeat_at = at
    ingestion.save(update_fields=["rows_taken", "rows_known", "rows_refused", "heartbeat_at"])


def _sorted(intake: Intake, batch: Sequence[Row], at: datetime) -> Sorted:
    found, rows, refused_rows = Sorted(), list[Row](), list[tuple[Row, str]]()
    for row in batch:
        try:
            rows.append(_named(intake, row))
        except ValueRefused as refused:
            refused_rows.append((row, words_of(refused)))
    found.arrivals = _known(intake.project, rows)
    found.erased = erased_among(intake.project, _ids_in([*rows, *(row for row, _ in refused_rows)]))
    for row, words in refused_rows:
        kept = replace(row, values=None, raw="") if _ids_in([row]) & found.erased else row
        found.dead.append(letter_of(intake.ingestion, kept, words, at))
    task = task_types.get(intake.project.task_type)
    for row in rows:
        try:
            _sort(intake, task, row, found, at)
        except IdErased as refused:
            bare = replace(row, values=None, raw="")
            found.dead.append(letter_of(intake.ingestion, bare, words_of(refused), at))
        except ValueRefused as refused:
            found.dead.append(letter_of(intake.ingestion, row, words_of(refused), at))
        except UnicodeEncodeError:
            words = sentence("The row holds half a character, which no text can keep.")
            found.dead.append(letter_of(intake.ingestion, row, words, at))
    return found


def _named(intake: Intake, row: Row) -> Row:
    if row.values is None or row.reason:
        raise ValueRefused(row.reason)
    return replace(row, values=intake.beside.named(row.values)) if intake.beside else row


def _sort(intake: Intake, task: task_types.TaskType, row: Row, found: Sorted, at: datetime) -> None:
    assert row.values is not None
    name = id_of(given_id(row.values))
    refuse_erased(name, found.erased)
    shown, said = intake.beside.read(row.values) if intake.beside else (row.values, None)
    arrival = found.arrivals.get(name)
    new = arrival is None
    if arrival is None or said is None or task.payload.stands_in(shown):
        fit = _fit(name, task, shown, at)
        arrival = arrival or fit
        if arrival.digest not in ("", fit.digest):
            raise ValueRefused(
                sentence(
                    "An example with the id “{name}” is there and shows something else. What is there never changes: "
                    "send this one under another id.",
                    name=name,
                )
            )
    if said is not None and intake.beside:
        found.beside.append((row, arrival, intake.beside.check(said, arrival.fields, at)))
    if new:
        found.arrivals[name], found.first_row[row.number] = arrival, name
    found.fitting += 1


def _fit(name: str, task: task_types.TaskType, shown: Mapping[str, Any], at: datetime) -> Arrival:
    payload = task.read(shown)
    stored = canonical(payload.fields)
    said = next((shown[c] for c in ("collected_at", "timestamp") if shown.get(c) not in (None, "")), None)
    collected_at = moment_of(said, now=at, name=term("The time it was collected"))
    group = shown.get("group")
    return Arrival(
        name,
        payload,
        payload.fields,
        stored,
        digest_of(stored, payload.blob),
        collected_at,
        group="" if group is None else str(group),
    )


def _ids_in(rows_given: Iterable[Row]) -> set[str]:
    names = set[str]()
    for row in rows_given:
        with suppress(ValueRefused):
            names.add(id_of(given_id(row.values or {})))
    return names


def _known(project: Project, rows_given: Iterable[Row]) -> dict[str, Arrival]:
    rows = Example.objects.filter(project=project, external_id__in=_ids_in(rows_given))
    columns = rows.values_list("external_id", "fields", "content_digest", "holdout", "pk")
    return {name: Arrival(name, None, fields, "", digest, None, held, pk) for name, fields, digest, held, pk in columns}


def _sides(intake: Intake, fresh: Sequence[Arrival]) -> list[str]:
    """Set each new example's side of the holdout; returns the digests that occur more than once, here or before."""
    project = intake.project
    digests = {x.digest for x in fresh}
    known = Example.objects.filter(project=project, content_digest__in=digests) if digests else Example.objects.none()
    held = dict(known.order_by("-pk").values_list("content_digest", "holdout"))  # the oldest decides
    times = Counter([*held, *(x.digest for x in fresh)])
    for x in fresh:
        if x.digest not in held:
            held[x.digest] = intake.drawn and in_holdout(
                x.group or x.external_id, salt=project.holdout_salt, share=project.holdout_share
            )
        x.holdout = held[x.digest]
    return [digest for digest, n in times.items() if n > 1]


def _store(intake: Intake, fresh: Sequence[Arrival], at: datetime) -> None:
    if not fresh:
        return
    for x, pk in zip(fresh, ids_reserved(Example, len(fresh)), strict=True):
        x.example_id = pk
    ingestion = intake.ingestion
    rows_copy(
        Example,
        _COLUMNS,
        (
            (
                x.example_id,
                intake.project.pk,
                x.external_id,
                x.stored,
                x.holdout,
                min(x.collected_at or ingestion.received_at, at),
                at,
                ingestion.pk,
                x.digest,
            )
            for x in fresh
        ),
    )
    ExampleBlob.objects.bulk_create(
        [
            ExampleBlob(example_id=x.example_id, content=x.payload.blob)
            for x in fresh
            if x.payload and x.payload.blob is not None
        ]
    )


def _keep(intake: Intake, found: Sorted, at: datetime) -> KeptBeside:
    if not found.beside or intake.beside is None:
        return KeptBeside()
    kept = [
        StoredRow(x.example_id, x.payload is not None, x.digest, x.holdout, row.number, said)
        for row, x, said in found.beside
    ]
    return intake.beside.keep(kept, at=at)
