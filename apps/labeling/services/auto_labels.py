"""What the model labels by itself: given as one batch, audited by people, withdrawn when the audit fails."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from django.db import connection, transaction
from django.db.models import Count, Max, Q
from django.utils.translation import gettext
from numpy.typing import NDArray

from apps.accounts.models import User
from apps.audit.services import event_record
from apps.audit.verbs import Verb
from apps.errors import DomainError, Invalid
from apps.labeling.models import AutoBatch, AutoBatchState, AutoLabel, AutoLabeling, FrontierItem, Label, Lane
from apps.live.publish import look_again
from apps.live.topics import News, Topic
from apps.projects.models import Project
from apps.projects.selectors import schema_of
from apps.rules import autolabel
from apps.rules.sentences import parts_of, sentence, term
from apps.rules.words import count, percent
from apps.work.locks import Lock, lock

TARGETS, AUDITS = (0.8, 0.9999), (0.01, 1.0)


class BatchWithdrawn(DomainError):
    code = "batch_withdrawn"


@dataclass(frozen=True)
class AutoLabelsGiven:
    """What a model is sure of: ids (n,), places of the labels in `label_names` (n,), confidence (n,)."""

    ids: NDArray[np.int64]
    places: NDArray[np.int64]
    confidence: NDArray[np.floating]
    label_names: Sequence[str]


@transaction.atomic
def auto_labeling_set(
    *, project: Project, enabled: bool, target_precision: float, audit_share: float, by: User, at: datetime
) -> AutoLabeling:
    """Allow the model to label, or stop it. What it has labeled stays until a batch is withdrawn."""
    if not TARGETS[0] <= target_precision <= TARGETS[1]:
        raise Invalid(gettext("The precision lies between 80 % and 99.99 %."), field="target_percent")
    if not AUDITS[0] <= audit_share <= AUDITS[1]:
        raise Invalid(gettext("Between 1 % and 100 % of the model’s labels are audited."), field="audit_percent")
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    row, _ = AutoLabeling.objects.get_or_create(project=project)
    before = _settings(row)
    row.enabled, row.target_precision, row.audit_share = enabled, target_precision, audit_share
    after = _settings(row)
    if after == before:
        return row
    row.set_at, row.checked_at, row.asked_at, row.sentence, row.parts = at, None, None, "", {}
    row.save()
    on = sentence(
        "on, at {precision:.4g} % precision, {audited:.4g} % audited",
        precision=100 * target_precision,
        audited=100 * audit_share,
    )
    words = on if enabled else term("off")
    event_record(
        project_id=project.pk,
        verb=Verb.AUTO_LABELING_SET,
        subject=f"project {project.pk}",
        by=by,
        at=at,
        sentence=sentence("{by} turned auto-labeling {words}.", by=by, words=words),
        before=before,
        after=after,
    )
    look_again(Topic.PROJECT.of(project.pk), News.AUTO)
    return row


def _settings(row: AutoLabeling) -> dict[str, bool | float]:
    return {"enabled": row.enabled, "target_precision": row.target_precision, "audit_share": row.audit_share}


@transaction.atomic
def auto_labeling_found(*, project: Project, sentence: str, at: datetime) -> None:
    """What an attempt found, for the page; the next attempt follows a new champion or new settings."""
    AutoLabeling.objects.filter(project=project).update(
        sentence=sentence[:400], parts=parts_of(sentence), checked_at=at
    )
    look_again(Topic.PROJECT.of(project.pk), News.AUTO)


@transaction.atomic
def auto_batch_give(
    *,
    project: Project,
    run_number: int,
    threshold: autolabel.Threshold,
    given: AutoLabelsGiven,
    at: datetime,
    seed: int,
) -> AutoBatch | None:
    """Store what the model labels as one batch and draw its audit; None when nothing of it is open any more.

    Examples that somebody holds, has answered, or that wait in a lane of chance are left to people.
    """
    assert threshold.value is not None and threshold.precision_low is not None
    row = AutoLabeling.objects.select_for_update(no_key=True).get(project=project)
    lock(Lock.FRONTIER, project.pk)
    last = AutoBatch.objects.filter(project=project).aggregate(n=Max("number"))["n"] or 0
    batch = AutoBatch.objects.create(
        project=project,
        number=last + 1,
        run_number=run_number,
        target_precision=row.target_precision,
        threshold=threshold.value,
        holdout_rows=threshold.rows,
        holdout_errors=threshold.errors,
        precision_low=threshold.precision_low,
        at=at,
    )
    ids = _give(project, batch, given, at)
    if not len(ids):
        batch.delete()
        return None
    drawn = autolabel.audit_sample(ids, share=row.audit_share, seed=seed)
    AutoLabel.objects.filter(example_id__in=[int(i) for i in drawn]).update(audit=True)
    FrontierItem.objects.bulk_create(
        [
            FrontierItem(
                project=project,
                example_id=int(i),
                slot=slot,
                lane=Lane.AUDIT,
                rank=rank,
                reason={"strategy": "audit"},
                run_number=run_number,
                selection_probability=row.audit_share,
                queued_at=at,
            )
            for rank, i in enumerate(np.random.default_rng(seed).permutation(drawn))
            for slot in range(project.queue.overlap)
        ],
        batch_size=2000,
    )
    batch.labels, batch.audits = len(ids), len(drawn)
    batch.save(update_fields=["labels", "audits"])
    event_record(
        project_id=project.pk,
        verb=Verb.AUTO_LABELS_GIVEN,
        subject=f"auto-labels {batch.number}",
        by=None,
        at=at,
        sentence=sentence(
            "The model of run {run} labeled {examples} by itself, from a confidence of {least} on; people audit {n:,} of them.",
            run=run_number,
            examples=count(len(ids), "example"),
            least=percent(batch.threshold, 1),
            n=len(drawn),
        ),
        after={"labels": len(ids), "audits": len(drawn), "threshold": batch.threshold},
    )
    look_again(Topic.PROJECT.of(project.pk), News.AUTO)
    return batch


_STILL_OPEN = """
    INSERT INTO labeling_autolabel (example_id, project_id, batch_id, label_id, confidence, audit, "right")
    SELECT e.id, e.project_id, %(batch)s, p.label_id, p.confidence, false, NULL
    FROM {picks} p JOIN datasets_example e ON e.id = p.example_id
    WHERE e.project_id = %(project)s AND NOT e.holdout
      AND NOT EXISTS (SELECT 1 FROM labeling_label l WHERE l.example_id = e.id)
      AND NOT EXISTS (SELECT 1 FROM labeling_setaside s WHERE s.example_id = e.id)
      AND NOT EXISTS (SELECT 1 FROM labeling_frontieritem f WHERE f.example_id = e.id
                      AND (f.lane <> 'active' OR f.leased_until >= %(at)s))
      AND NOT EXISTS (SELECT 1 FROM labeling_assignment a WHERE a.example_id = e.id AND a.state IN ('answered', 'skipped'))
    ON CONFLICT DO NOTHING
    RETURNING example_id
"""


def _give(project: Project, batch: AutoBatch, given: AutoLabelsGiven, at: datetime) -> NDArray[np.int64]:
    """By COPY into a table of this transaction, then one statement: a million labels take seconds, not minutes."""
    keys = {x.name: x.pk for x in schema_of(project).labels}
    label_ids = [keys[name] for name in schema_of(project).today(given.label_names)]
    picks = f"auto_picks_{uuid.uuid4().hex[:12]}"
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TEMP TABLE {picks} (example_id bigint, label_id bigint, confidence float8) ON COMMIT DROP"
        )
        with cursor.copy(f"COPY {picks} FROM STDIN") as copy:
            for example_id, place, confidence in zip(given.ids, given.places, given.confidence, strict=True):
                copy.write_row((int(example_id), label_ids[int(place)], float(confidence)))
        cursor.execute(_STILL_OPEN.format(picks=picks), {"batch": batch.pk, "project": project.pk, "at": at})
        ids = np.array([row[0] for row in cursor.fetchall()], np.int64)
        cursor.execute(
            "DELETE FROM labeling_frontieritem f USING labeling_autolabel a "
            "WHERE a.batch_id = %s AND f.example_id = a.example_id AND f.lane = 'active'",
            [batch.pk],
        )
    return ids


def auto_audit_settle(*, example_id: int, label: Label | None, at: datetime) -> None:
    """After a person settled, changed or withdrew a label: what it says of the label that the model had given.

    Called within the transaction of the answer. An example outside the audit that a person has labeled loses the
    model's label: the person's counts.
    """
    auto = AutoLabel.objects.select_related("batch").filter(example_id=example_id).first()
    if auto is None:
        return
    if not auto.audit:
        if label is not None:
            auto.delete()
        return
    right = None if label is None else label.label_id == auto.label_id
    if right == auto.right:
        return
    AutoLabel.objects.filter(pk=auto.pk).update(right=right)
    batch = AutoBatch.objects.select_for_update(no_key=True).get(pk=auto.batch_id)
    found = batch.given.filter(audit=True).aggregate(
        audited=Count("pk", filter=Q(right__isnull=False)), errors=Count("pk", filter=Q(right=False))
    )
    batch.audited, batch.audit_errors = found["audited"], found["errors"]
    batch.save(update_fields=["audited", "audit_errors"])
    verdict = autolabel.audit(batch.audited, batch.audit_errors, target=batch.target_precision)
    if verdict.failed and batch.state == AutoBatchState.ACTIVE:
        _withdraw(batch, f"The audit failed: {verdict.sentence}", by=None, at=at)
    look_again(Topic.PROJECT.of(batch.project_id), News.AUTO)


@transaction.atomic
def auto_batch_withdraw(*, batch: AutoBatch, by: User, at: datetime) -> AutoBatch:
    """A person takes a batch back: its examples are open again."""
    batch = AutoBatch.objects.select_for_update(no_key=True).get(pk=batch.pk)
    if batch.state == AutoBatchState.WITHDRAWN:
        raise BatchWithdrawn(
            gettext("Batch {number} is withdrawn already: {withdrawn_why}").format(
                number=batch.number, withdrawn_why=batch.withdrawn_why
            )
        )
    _withdraw(batch, f"{by} withdrew it.", by=by, at=at)
    look_again(Topic.PROJECT.of(batch.project_id), News.AUTO)
    return batch


def _withdraw(batch: AutoBatch, why: str, *, by: User | None, at: datetime) -> None:
    """Its labels go, its examples are open again; what people answered in the audit stays as their labels."""
    batch.state, batch.withdrawn_at, batch.withdrawn_why = AutoBatchState.WITHDRAWN, at, why[:300]
    batch.save(update_fields=["state", "withdrawn_at", "withdrawn_why"])
    waiting = FrontierItem.objects.filter(project_id=batch.project_id, lane=Lane.AUDIT)
    free = Q(leased_until=None) | Q(leased_until__lt=at)
    waiting.filter(free, example__auto_label__batch=batch).delete()
    AutoLabel.objects.filter(batch=batch)._raw_delete("default")
    if by is None:  # the model has shown that it must not go on by itself; a manager decides
        AutoLabeling.objects.filter(project_id=batch.project_id).update(
            enabled=False, sentence=f"Turned off: batch {batch.number} was withdrawn. {why}"[:400], checked_at=at
        )
    event_record(
        project_id=batch.project_id,
        verb=Verb.AUTO_LABELS_WITHDRAWN,
        subject=f"auto-labels {batch.number}",
        by=by,
        at=at,
        sentence=sentence(
            "{by} withdrew the {labels:,} auto-labels of batch {number}: {why}",
            by=by or term("System"),
            labels=batch.labels,
            number=batch.number,
            why=why,
        ),
        before={"state": AutoBatchState.ACTIVE},
        after={"state": AutoBatchState.WITHDRAWN},
    )
