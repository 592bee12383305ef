"""One batch of rows on its way in: what fits is stored, what does not fit is kept with its reason."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from django.utils.dateparse import parse_datetime

from apps.datasets.content import canonical, digest_of
from apps.datasets.copying import ids_reserved, rows_copy
from apps.datasets.models import DeadLetter, Example, ExampleBlob, Ingestion
from apps.datasets.readers import Row
from apps.projects import task_types
from apps.projects.models import Project
from apps.projects.task_types import PayloadRefused
from apps.rules.holdout import in_holdout
from apps.work.locks import Lock, lock

MAX_EXTERNAL_ID = 200
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


class Beside(Protocol):
    """Labels, answers and guesses that stand in a row beside the example. This stage only carries them through."""

    def read(self, values: Mapping[str, Any]) -> tuple[Mapping[str, Any], Any]:
        """The row without them, and them; None where there are none. Raises PayloadRefused."""

    def check(self, said: Any, fields: Mapping[str, Any]) -> Any:
        """Them in checked form, against what is stored of the example. Raises PayloadRefused."""

    def keep(self, kept: Sequence[StoredRow], *, at: datetime) -> set[int]:
        """Store them within the batch's transaction; the numbers of the rows that said something new."""


OnRepeated = Callable[[Sequence[str]], None]  # content digests that more than one example has


@dataclass(frozen=True)
class Intake:
    """Where a batch goes."""

    ingestion: Ingestion
    project: Project
    beside: Beside | None = None
    on_repeated: OnRepeated | None = None


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


@dataclass(slots=True)
class Sorted:
    """The rows of a batch by what becomes of them."""

    arrivals: dict[str, Arrival] = field(default_factory=dict)
    first_row: dict[int, str] = field(default_factory=dict)  # row number -> the example that it brings
    beside: list[tuple[Row, Arrival, Any]] = field(default_factory=list)
    dead: list[DeadLetter] = field(default_factory=list)
    fitting: int = 0


def batch_take(intake: Intake, batch: Sequence[Row], at: datetime) -> None:
    """Within the caller's transaction. One batch of a project at a time: a COPY cannot step over what came meanwhile."""
    lock(Lock.EXAMPLES, intake.project.pk)
    found = _sorted(intake, batch, at)
    fresh = [x for x in found.arrivals.values() if x.payload is not None]
    repeated = _sides(intake.project, fresh)
    _store(intake, fresh, at)
    DeadLetter.objects.bulk_create(found.dead)
    told = _keep(intake, found, at)
    if repeated and intake.on_repeated:
        intake.on_repeated(repeated)
    taken, ingestion = len(told | set(found.first_row)), intake.ingestion
    ingestion.rows_taken += taken
    ingestion.rows_known += found.fitting - taken
    ingestion.rows_refused += len(found.dead)
    ingestion.heartbeat_at = at
    ingestion.save(update_fields=["rows_taken", "rows_known", "rows_refused", "heartbeat_at"])


def _sorted(intake: Intake, batch: Sequence[Row], at: datetime) -> Sorted:
    found = Sorted()
    found.arrivals = _known(intake.project, {external_id(r.values) for r in batch if r.values is not None})
    task = task_types.get(intake.project.task_type)
    for row in batch:
        try:
            _sort(intake, task, row, found)
        except PayloadRefused as refused:
            found.dead.append(_dead(intake.ingestion, row, str(refused), at))
        except UnicodeEncodeError:
            found.dead.append(
                _dead(intake.ingestion, row, "The row holds half a character, which no text can keep.", at)
            )
    return found


def _sort(intake: Intake, task: task_types.TaskType, row: Row, found: Sorted) -> None:
    if row.values is None:
        raise PayloadRefused(row.reason)
    name = _checked_id(row.values)
    shown, said = intake.beside.read(row.values) if intake.beside else (row.values, None)
    arrival = found.arrivals.get(name)
    new = arrival is None
    if arrival is None or said is None:
        fit = _fit(name, task, shown)
        arrival = arrival or fit
    if said is not None and intake.beside:
        found.beside.append((row, arrival, intake.beside.check(said, arrival.fields)))
    if new:
        found.arrivals[name], found.first_row[row.number] = arrival, name
    found.fitting += 1


def _fit(name: str, task: task_types.TaskType, shown: Mapping[str, Any]) -> Arrival:
    payload = task.read(shown)
    stored = canonical(payload.fields)
    if "\\u0000" in stored and _has_nul(payload.fields):
        raise PayloadRefused("The row contains a NUL character.")
    collected_at = _moment(shown.get("collected_at", shown.get("timestamp")))
    digest = digest_of(stored, payload.blob)
    return Arrival(name, payload, payload.fields, stored, digest, collected_at)


def _has_nul(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(_has_nul(k) or _has_nul(v) for k, v in value.items())
    return isinstance(value, str) and "\x00" in value


def _known(project: Project, names: Iterable[str]) -> dict[str, Arrival]:
    rows = Example.objects.filter(project=project, external_id__in=[n for n in names if _writable(n)])
    columns = rows.values_list("external_id", "fields", "content_digest", "holdout", "pk")
    return {name: Arrival(name, None, fields, "", digest, None, held, pk) for name, fields, digest, held, pk in columns}


def _sides(project: Project, fresh: Sequence[Arrival]) -> list[str]:
    """Set each new example's side of the holdout; returns the digests that occur more than once, here or before."""
    digests = {x.digest for x in fresh}
    known = Example.objects.filter(project=project, content_digest__in=digests) if digests else Example.objects.none()
    held = dict(known.order_by("-pk").values_list("content_digest", "holdout"))  # the oldest decides
    times = Counter([*held, *(x.digest for x in fresh)])
    for x in fresh:
        if x.digest not in held:
            held[x.digest] = in_holdout(x.external_id, salt=project.holdout_salt, share=project.holdout_share)
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


def _keep(intake: Intake, found: Sorted, at: datetime) -> set[int]:
    if not found.beside or intake.beside is None:
        return set()
    kept = [
        StoredRow(x.example_id, x.payload is not None, x.digest, x.holdout, row.number, said)
        for row, x, said in found.beside
    ]
    return intake.beside.keep(kept, at=at)


def external_id(values: Mapping[str, Any]) -> str:
    given = values.get("external_id", values.get("id"))
    return "" if given is None else str(given).strip().replace("\x00", "")


def _checked_id(values: Mapping[str, Any]) -> str:
    name = external_id(values)
    if not name:
        raise PayloadRefused("The row has no “id” (or “external_id”).")
    if len(name) > MAX_EXTERNAL_ID:
        raise PayloadRefused(f"The id has {len(name)} characters; at most {MAX_EXTERNAL_ID} fit.")
    name.encode()
    return name


def _writable(name: str) -> bool:
    return bool(name) and len(name) <= MAX_EXTERNAL_ID and not any("\ud800" <= c <= "\udfff" for c in name)


def _moment(value: Any) -> datetime | None:
    """ISO 8601 or a datetime; a zone that is not said is UTC. What is not a moment is passed over."""
    try:
        moment = value if isinstance(value, datetime) else parse_datetime(str(value)) if value else None
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment


def _dead(ingestion: Ingestion, row: Row, reason: str, at: datetime) -> DeadLetter:
    raw = row.raw or json.dumps(row.values, default=_shown, ensure_ascii=False)
    name = external_id(row.values) if row.values is not None else ""
    return DeadLetter(
        project_id=ingestion.project_id,
        ingestion=ingestion,
        row_number=row.number,
        external_id=_whole(name)[:MAX_EXTERNAL_ID],
        reason=_whole(reason)[:300],
        raw=_whole(raw[:2000]),
        at=at,
    )


def _whole(text: str) -> str:
    """Without what PostgreSQL cannot keep: NUL and halves of characters."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def _shown(value: Any) -> str:
    return f"{len(value):,} bytes" if isinstance(value, bytes) else str(value)
