"""The project of texts: its settings, its examples, and answers of every outcome."""

import uuid
from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np
from apps.labeling.quality.services import Doubt, gold_add, suspects_record
from apps.projects.queue_settings import queue_settings_set
from fill.people import LATER, NOON, PAYLOADS, project_of

from apps.accounts.models import User
from apps.datasets.models import Example
from apps.datasets.services import upload_receive
from apps.labeling.models import (
    Annotation,
    Assignment,
    ConsensusReport,
    ErrorKind,
    FrontierItem,
    Label,
    Lane,
    Pause,
    Review,
    ReviewState,
    SkipReason,
    Suspect,
)
from apps.labeling.services import auto_labels, bulk, undo
from apps.labeling.services.annotations import Answer, annotation_submit
from apps.labeling.services.suspects import suspect_settle
from apps.loop import services as loop
from apps.projects.models import Project
from apps.projects.roles import Role
from apps.projects.services import guidelines_write, member_set, rate_set
from apps.rules.autolabel import Threshold
from tests.rows import HOUR


def mail(who: dict[str, User]) -> Project:
    """Texts, in a project in which no column of the queue has its default."""
    project = project_of(
        who, "Support mail", "text-classification", ("ham", "spam", "bill"), holdout_share=0.2, strategy="margin"
    )
    queue_settings_set(
        project=project,
        by=who["mona"],
        at=NOON,
        encoder="hashed-words-256",
        overlap=2,
        lane_weights={
            "active": 50,
            "random": 15,
            "holdout": 25,
            "audit": 7,
            "gold": 12,
            "relabel": 6,
            "review": 11,
            "drift": 0,
        },
        lane_overlap={"holdout": 3, "audit": 1},
        consensus="dawid-skene",
        review_at_most=0.6,
        blind_share=0.25,
        planted_share=0.2,
        gold_failures=1,
        gold_feedback=False,
    )
    rate_set(project=project, hourly_rate=Decimal("31.50"), currency="USD", by=who["mona"], at=NOON)
    member_set(project=project, username="gone", role=Role.ENGINEER, by=who["alma"], at=NOON)
    guidelines_write(project=project, text="Bills are neither ham nor spam.", by=who["gone"], at=NOON)
    project.refresh_from_db()
    _examples(project, who)
    return project


def _examples(project: Project, who: dict[str, User]) -> None:
    """A batch with known labels, guesses and gold of its own, one with refused rows, and three uploads."""
    known = [
        {"id": f"m{n}", "text": f"{PAYLOADS[n % 4]}, number {n}", "label": ("ham", "spam")[n % 2]} for n in range(140)
    ]
    fresh = [
        {
            "id": f"q{n}",
            "text": f"{PAYLOADS[n % 4]} — ask {n}",
            "prediction.value": "spam",
            "prediction.model": "old-rules",
            "prediction.confidence": 0.5 + n / 100,
        }
        for n in range(40)
    ]
    twins = [
        {"id": f"q{n}-again", "text": f"{PAYLOADS[n % 4]} — ask {n}"} for n in range(40)
    ]  # one example, shown twice
    refused = [
        {"id": "bad1"},
        {"id": "bad2", "text": ""},
        {"text": "of an unknown label", "id": "bad3", "label": "eggs"},
    ]
    for rows, by in ((known, who["lin"]), (fresh, None), (twins, who["gone"]), (refused, who["lin"])):
        loop.batch_take(project=project, rows=rows, source="api", by=by, at=NOON)
    for name in ("waits.csv", "reads.csv", "unreadable.parquet"):
        upload_receive(project=project, filename=name, size_bytes=6, chunks=[b"text\nx"], by=who["lin"], at=NOON)
    project.ingestions.filter(filename="reads.csv").update(
        state="running", started_at=NOON, heartbeat_at=NOON, rows_expected=9
    )
    project.ingestions.filter(filename="unreadable.parquet").update(
        state="failed", started_at=NOON, finished_at=NOON, error="It is no Parquet file."
    )


def ask(project: Project, example: Example, by: User, *, lane: str, slot: int, at: datetime = NOON) -> Assignment:
    """A lease on one slot of one example, as the queue gives it."""
    until = at + timedelta(minutes=5)
    FrontierItem.objects.update_or_create(
        example=example,
        slot=slot,
        defaults={
            "project": project,
            "lane": lane,
            "rank": slot,
            "queued_at": at,
            "leased_until": until,
            "reason": {"strategy": "margin", "margin": 0.04},
            "run_number": 1,
            "selection_probability": 0.1,
        },
    )
    return Assignment.objects.create(
        project=project,
        example=example,
        slot=slot,
        holder=by,
        token=uuid.uuid4(),
        leased_at=at,
        leased_until=until,
        lane=lane,
        rank=slot,
        reason={"strategy": "margin", "margin": 0.04},
        suggestion="spam",
        suggestion_confidence=0.71,
        run_number=1,
        selection_probability=0.1,
        guidelines=project.guidelines.first(),
    )


def say(asked: Assignment, *, at: datetime = NOON + timedelta(minutes=1), **said: object) -> Annotation:
    answer = Answer(client_id=uuid.uuid4(), assignment_id=asked.pk, token=asked.token, active_ms=4200, **said)
    return annotation_submit(project_id=asked.project_id, answer=answer, by=asked.holder, at=at)


def answers(project: Project, who: dict[str, User]) -> None:
    """Answers of every outcome: agreed, torn, flagged, skipped, set aside, withdrawn, surplus, gold, in bulk, reviewed."""
    free = iter(
        Example.objects.filter(project=project, external_id__startswith="q", label=None)
        .exclude(external_id__endswith="again")
        .order_by("pk")
    )
    ada, grace, rosa = who["ada"], who["grace"], who["rosa"]

    def both(first: dict[str, object], second: dict[str, object], *, lane: str = Lane.ACTIVE) -> Example:
        example = next(free)
        for slot, (person, said) in enumerate(((ada, first), (grace, second))):
            say(ask(project, example, person, lane=lane, slot=slot), **said)
        return example

    for label in ("ham", "spam", "bill"):
        both({"label": label}, {"label": label}, lane=Lane.RANDOM)
    both({"label": "ham", "comment": "A comment, with “quotes”\tand a tab"}, {"label": "spam"})  # its review stays open
    torn = both({"label": "ham"}, {"label": "bill"})
    say(
        ask(project, torn, rosa, lane=Lane.REVIEW, slot=2),
        label="bill",
        error_kind=ErrorKind.GUIDELINE_GAP,
        comment="The guidelines did not say.",
    )
    both({"skip_reason": SkipReason.UNCLEAR}, {"skip_reason": SkipReason.LANGUAGE})
    settled = both({"label": "ham", "flagged": True}, {"label": "ham"})
    Review.objects.filter(example=settled).update(state=ReviewState.CLOSED, decided_at=LATER)

    undone = say(ask(project, next(free), ada, lane=Lane.ACTIVE, slot=0), label="spam")
    undo.annotation_withdraw(project_id=project.pk, client_id=undone.client_id, by=ada, at=NOON + timedelta(minutes=2))
    late = ask(project, shared := next(free), ada, lane=Lane.ACTIVE, slot=0)
    Assignment.objects.filter(pk=late.pk).update(state="expired")
    say(ask(project, shared, grace, lane=Lane.ACTIVE, slot=0, at=NOON + HOUR), label="ham", at=NOON + HOUR)
    say(late, label="spam", at=NOON + 2 * HOUR)  # surplus: somebody else has the slot
    ask(project, next(free), grace, lane=Lane.HOLDOUT, slot=0, at=LATER)  # still held
    given = ask(project, next(free), grace, lane=Lane.ACTIVE, slot=1)
    Assignment.objects.filter(pk=given.pk).update(state="expired", guidelines=None, suggestion="", run_number=None)

    gold = next(free)
    gold_add(
        project=project,
        example_id=gold.pk,
        value={"label": "ham"},
        explanation="It is a plea.",
        by=who["mona"],
        at=NOON,
    )
    asked = ask(project, gold, ada, lane=Lane.GOLD, slot=0)
    FrontierItem.objects.filter(example=gold).delete()
    Assignment.objects.filter(pk=asked.pk).update(planted=True)
    say(asked, label="spam")  # wrong, so Ada is paused
    bulk.annotations_bulk(
        project=project,
        example_ids=[next(free).pk for _ in range(3)],
        value={"label": "bill"},
        client_id=uuid.uuid4(),
        by=grace,
        at=NOON + HOUR,
    )
    ConsensusReport.objects.create(
        project=project,
        method="dawid-skene",
        gold_examples=12,
        majority_right=9,
        dawid_skene_right=11,
        sentence="Dawid-Skene is right more often on gold: 11 of 12 against 9.",
        at=LATER,
    )
    Pause.objects.create(
        project=project, person=grace, reason="Too fast.", at=NOON, lifted_at=LATER, lifted_by=who["mona"]
    )
    Label.objects.filter(project=project, source="consensus", lane="random").update(confidence=0.98)


def doubts(project: Project) -> None:
    """A suspect in every state, of labels that came with the examples."""
    labels = {x.name: x for x in project.labels.all()}
    imported = list(Label.objects.filter(project=project, source="imported", holdout=False).order_by("pk")[:4])
    found = [Doubt(x.pk, x.label_id, (labels["bill"].pk), 0.01 * (n + 1)) for n, x in enumerate(imported)]
    suspects_record(project=project, run_number=1, doubts=found, sentence="Run 1 doubts 4 labels.", at=LATER)
    suspect_settle(example_id=imported[1].pk, label=imported[1], looked_again=True, at=LATER + HOUR)
    for at, state in ((2, "corrected"), (3, "moot")):
        Suspect.objects.filter(example_id=imported[at].pk).update(state=state, settled_at=LATER + HOUR)


def own_labels(project: Project, who: dict[str, User]) -> None:
    """Two batches that the model labeled by itself: one with its audit under way, one withdrawn."""
    auto_labels.auto_labeling_set(
        project=project, enabled=True, target_precision=0.97, audit_share=0.5, by=who["mona"], at=LATER
    )
    free = list(
        Example.objects.filter(
            project=project, label=None, holdout=False, assignments=None, external_id__endswith="again"
        )
        .order_by("pk")
        .values_list("pk", flat=True)[:12]
    )
    FrontierItem.objects.filter(example_id__in=free).exclude(lane=Lane.ACTIVE).delete()
    for ids in (free[:6], free[6:]):
        given = auto_labels.Given(np.array(ids), np.zeros(len(ids), int), np.full(len(ids), 0.99), ["ham", "spam"])
        batch = auto_labels.auto_batch_give(
            project=project,
            run_number=2,
            threshold=Threshold(0.97, 400, 1, 0.9882, "It may."),
            given=given,
            at=LATER,
            seed=0,
        )
        assert batch is not None
    auto_labels.auto_batch_withdraw(batch=batch, by=who["mona"], at=LATER + HOUR)
    first = project.auto_batches.get(number=1)
    first.given.filter(audit=True, pk=first.given.filter(audit=True).first().pk).update(right=True)
    auto_labels.auto_labeling_found(project=project, sentence="Nothing more is sure enough.", at=LATER + HOUR)
