"""Take examples in: once for each (project, external_id), bad rows to the dead letters, the holdout apart at once."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from django.db import transaction
from django.utils.dateparse import parse_datetime

from apps.accounts.models import User
from apps.audit.services import event_record, project_scope
from apps.datasets.content import content_digest
from apps.datasets.models import DeadLetter, Example, ExampleBlob, Ingestion, IngestionState
from apps.datasets.readers import FileUnreadable, Row, suffix_of
from apps.errors import Invalid
from apps.integrations import wiring
from apps.live.publish import look_again
from apps.projects import task_types
from apps.projects.models import Project
from apps.projects.selectors import schema_of
from apps.rules.holdout import in_holdout

BATCH = 500  # rows a transaction: small enough to show progress, large enough for COPY-like speed
MAX_API_BATCH = 5000
MAX_EXTERNAL_ID = 200
STALLED = timedelta(minutes=2)  # a reader that has said nothing for so long is dead


@dataclass(frozen=True)
class Labeled:
    """An example that came with its label, for whoever keeps labels."""

    example_id: int
    label_name: str


@dataclass(frozen=True)
class Clean:
    """A row that fits."""

    external_id: str
    payload: task_types.Payload
    label_name: str | None
    collected_at: datetime | None
    digest: str


OnLabeled = Callable[[Sequence[Labeled]], None]
OnRepeated = Callable[[Sequence[str]], None]  # content digests that more than one example has


@transaction.atomic
def ingestion_open(
    *, project: Project, source: str, by: User | None, at: datetime, filename: str = "", size_bytes: int = 0
) -> Ingestion:
    return Ingestion.objects.create(
        project=project, source=source, by=by, received_at=at, filename=filename[:200], size_bytes=size_bytes
    )


def upload_receive(
    *, project: Project, filename: str, size_bytes: int, chunks: Iterable[bytes], by: User, at: datetime
) -> Ingestion:
    """Keep the file and queue its reading. Raises Invalid when the name says that we cannot read it."""
    try:
        suffix = suffix_of(filename)
    except FileUnreadable as cause:
        raise Invalid(str(cause), field="file") from cause
    if size_bytes == 0:
        raise Invalid(f"“{filename}” is empty.", field="file")
    ingestion = ingestion_open(project=project, source="upload", by=by, at=at, filename=filename, size_bytes=size_bytes)
    ingestion.url = wiring.storage().write_stream(f"uploads/{project.pk}/{ingestion.pk}{suffix}", chunks)
    ingestion.save(update_fields=["url"])
    return ingestion


@transaction.atomic
def ingestion_claim(*, ingestion_id: int, at: datetime) -> Ingestion | None:
    """Start reading, once: None when somebody else reads it or has read it."""
    ingestion = Ingestion.objects.select_for_update(no_key=True).get(pk=ingestion_id)
    stalled = ingestion.heartbeat_at is not None and at - ingestion.heartbeat_at > STALLED
    if ingestion.state == IngestionState.COMPLETED or (ingestion.state == IngestionState.RUNNING and not stalled):
        return None
    DeadLetter.objects.filter(ingestion=ingestion).delete()  # a second reading counts afresh
    ingestion.state, ingestion.started_at, ingestion.heartbeat_at = IngestionState.RUNNING, at, at
    ingestion.rows_taken = ingestion.rows_known = ingestion.rows_refused = 0
    ingestion.error = ""
    ingestion.save()
    return ingestion


def examples_ingest(
    *,
    ingestion: Ingestion,
    rows: Iterable[Row],
    now: Callable[[], datetime],
    on_labeled: OnLabeled | None = None,
    on_repeated: OnRepeated | None = None,
) -> Ingestion:
    """Take every row that fits, in batches; `now` is asked once a batch. A batch is whole or not there.

    An example that shows what another one shows stands on the same side of the holdout, whatever its own id says: or a
    model would be judged by what it has learned by heart.
    """
    project = ingestion.project
    label_names = frozenset(schema_of(project).names)
    source = iter(rows)
    while batch := list(islice(source, BATCH)):
        with transaction.atomic():
            _take(ingestion, project, batch, label_names, now(), on_labeled, on_repeated)
        look_again(f"project.{project.pk}", "ingestion", ingestion.pk)
    return ingestion


def _take(
    ingestion: Ingestion,
    project: Project,
    batch: Sequence[Row],
    label_names: frozenset[str],
    at: datetime,
    on_labeled: OnLabeled | None,
    on_repeated: OnRepeated | None,
) -> None:
    clean: dict[str, Clean] = {}
    dead, known = [], 0
    for row in batch:
        if row.values is None:
            dead.append(_dead(ingestion, row, "", row.reason, at))
            continue
        try:
            fit = _check(project, row.values, label_names)
        except task_types.PayloadRefused as refused:
            dead.append(_dead(ingestion, row, _external_id(row.values), str(refused), at))
            continue
        if fit.external_id in clean:
            known += 1
        clean.setdefault(fit.external_id, fit)
    there = set(
        Example.objects.filter(project=project, external_id__in=clean.keys()).values_list("external_id", flat=True)
    )
    fresh = [c for c in clean.values() if c.external_id not in there]
    repeated, held = _sides(project, fresh)
    made = Example.objects.bulk_create(
        [
            Example(
                project=project,
                external_id=c.external_id,
                fields=c.payload.fields,
                holdout=held[c.digest],
                collected_at=min(c.collected_at or ingestion.received_at, at),
                ingested_at=at,
                ingestion=ingestion,
                content_digest=c.digest,
            )
            for c in fresh
        ]
    )
    ExampleBlob.objects.bulk_create(
        [
            ExampleBlob(example=example, content=c.payload.blob)
            for example, c in zip(made, fresh, strict=True)
            if c.payload.blob is not None
        ]
    )
    DeadLetter.objects.bulk_create(dead)
    labeled = [Labeled(e.pk, c.label_name) for e, c in zip(made, fresh, strict=True) if c.label_name]
    if labeled and on_labeled:
        on_labeled(labeled)
    if repeated and on_repeated:
        on_repeated(repeated)
    ingestion.rows_taken += len(made)
    ingestion.rows_known += known + len(there)
    ingestion.rows_refused += len(dead)
    ingestion.heartbeat_at = at
    ingestion.save(update_fields=["rows_taken", "rows_known", "rows_refused", "heartbeat_at"])


def _sides(project: Project, fresh: Sequence[Clean]) -> tuple[list[str], dict[str, bool]]:
    """The digests that occur more than once, here or with what is there already, and on which side each digest stands."""
    known = Example.objects.filter(project=project, content_digest__in={c.digest for c in fresh})
    held = dict(known.order_by("-pk").values_list("content_digest", "holdout"))  # the oldest decides
    times = Counter([*held, *(c.digest for c in fresh)])
    for c in fresh:
        if c.digest not in held:
            held[c.digest] = in_holdout(c.external_id, salt=project.holdout_salt, share=project.holdout_share)
    return [digest for digest, n in times.items() if n > 1], held


def _check(project: Project, values: Mapping[str, Any], label_names: frozenset[str]) -> Clean:
    external_id = _external_id(values)
    if not external_id:
        raise task_types.PayloadRefused("The row has no “id” (or “external_id”).")
    if len(external_id) > MAX_EXTERNAL_ID:
        raise task_types.PayloadRefused(f"The id has {len(external_id)} characters; at most {MAX_EXTERNAL_ID} fit.")
    label = values.get("label")
    label_name = str(label).strip() if label is not None and str(label).strip() else None
    if label_name is not None and label_name not in label_names:
        raise task_types.PayloadRefused(f"The label “{label_name[:80]}” is not in the project’s labels.")
    payload = task_types.get(project.task_type).read(values)
    collected_at = _moment(values.get("collected_at", values.get("timestamp")))
    digest = content_digest(payload.fields, payload.blob)
    return Clean(external_id, payload, label_name, collected_at, digest)


def _external_id(values: Mapping[str, Any]) -> str:
    given = values.get("external_id", values.get("id"))
    return "" if given is None else str(given).strip().replace("\x00", "")


def _moment(value: Any) -> datetime | None:
    """ISO 8601 or a datetime; a zone that is not said is UTC. What is not a moment is passed over."""
    try:
        moment = value if isinstance(value, datetime) else parse_datetime(str(value)) if value else None
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment


def _dead(ingestion: Ingestion, row: Row, external_id: str, reason: str, at: datetime) -> DeadLetter:
    raw = row.raw or json.dumps(row.values, default=_shown, ensure_ascii=False)
    return DeadLetter(
        project_id=ingestion.project_id, ingestion=ingestion, row_number=row.number,
        external_id=external_id[:MAX_EXTERNAL_ID], reason=reason[:300], raw=raw[:2000].replace("\x00", ""), at=at,
    )  # fmt: skip


def _shown(value: Any) -> str:
    return f"{len(value):,} bytes" if isinstance(value, bytes) else str(value)


@transaction.atomic
def ingestion_close(*, ingestion: Ingestion, at: datetime, error: str = "") -> None:
    """Completed, or failed with a sentence; what was taken before the failure stays."""
    ingestion.state = IngestionState.FAILED if error else IngestionState.COMPLETED
    ingestion.finished_at, ingestion.error = at, error[:400]
    ingestion.save(update_fields=["state", "finished_at", "error"])
    who = str(ingestion.by) if ingestion.by else "System"
    what = ingestion.filename or f"a batch by {ingestion.source}"
    outcome = f"failed: {error}" if error else f"{ingestion.rows_taken:,} taken"
    event_record(
        scope=project_scope(ingestion.project_id), verb="examples.ingested", subject=f"ingestion {ingestion.pk}",
        by=ingestion.by, at=at,
        sentence=f"{who} sent {what}: {outcome}, {ingestion.rows_known:,} known, {ingestion.rows_refused:,} refused.",
    )  # fmt: skip
    look_again(f"project.{ingestion.project_id}", "ingestion", ingestion.pk)
