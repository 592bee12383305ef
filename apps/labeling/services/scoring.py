"""The life of one ordering of the pool: opened, scored in parts on any machine, merged once by whoever finishes last.

Row first, message second: a part whose message was lost is sent again, and every call here may happen twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef

from apps.labeling.models import ScoringPart, ScoringPass, ScoringState
from apps.labeling.services.frontier import Origin, Scored, frontier_swap
from apps.projects.models import Project
from apps.work.leases import silent_taken
from apps.work.locks import Lock, lock

PART_SILENT = timedelta(minutes=5)  # scoring 100,000 texts takes seconds, as many images minutes
PASS_SILENT = timedelta(minutes=30)  # then nobody works on it any more
KEPT = 20  # passes a project, for those who ask how long scoring takes


@dataclass(frozen=True)
class PartPlan:
    """What one task scores: shards by number, or the examples between two ids."""

    shards: tuple[int, ...] = ()
    first_id: int = 0
    last_id: int = 0


@transaction.atomic
def scoring_open(
    *,
    project: Project,
    run_number: int | None,
    strategy: str,
    encoder: str,
    seed: int,
    newest_example: int,
    sentence: str,
    parts: Sequence[PartPlan],
    at: datetime,
) -> ScoringPass | None:
    """The newest ordering of the project, which ends those before it. None where the same one is under way already.

    One in parts is let to its end although examples came meanwhile, or a stream of them would never see it end.
    """
    lock(Lock.SCORING, project.pk)
    under_way = ScoringPass.objects.filter(project=project, state=ScoringState.OPEN)
    alike = under_way.filter(run_number=run_number, strategy=strategy, encoder=encoder)
    same = alike.filter(newest_example=newest_example, requested_at__gte=at - PART_SILENT)
    in_parts = alike.filter(parts__done_at=None, parts__isnull=False, requested_at__gte=at - PASS_SILENT)
    if same.exists() or in_parts.exists():
        return None
    under_way.update(state=ScoringState.SUPERSEDED, finished_at=at)
    scoring = ScoringPass.objects.create(
        project=project,
        run_number=run_number,
        strategy=strategy,
        encoder=encoder,
        seed=seed,
        newest_example=newest_example,
        sentence=sentence[:300],
        requested_at=at,
    )
    ScoringPart.objects.bulk_create(
        ScoringPart(
            scoring=scoring,
            number=number,
            shards=list(plan.shards),
            first_id=plan.first_id,
            last_id=plan.last_id,
            sent_at=at,
        )
        for number, plan in enumerate(parts, start=1)
    )
    return scoring


def scoring_part_open(part_id: int) -> ScoringPart | None:
    """The part, where somebody still waits for it."""
    return (
        ScoringPart.objects.select_related("scoring__project")
        .filter(pk=part_id, done_at=None, scoring__state=ScoringState.OPEN)
        .first()
    )


@transaction.atomic
def scoring_part_done(*, part: ScoringPart, url: str, scored: int, unusable: int, seconds: float, at: datetime) -> bool:
    """Keep where the candidates lie; True for the last part, whose task merges. The pass's row is locked to count."""
    scoring = ScoringPass.objects.select_for_update(no_key=True).get(pk=part.scoring_id)
    fresh = ScoringPart.objects.filter(pk=part.pk, done_at=None).update(
        url=url, scored=scored, unusable=unusable, seconds=seconds, done_at=at
    )
    waiting = ScoringPart.objects.filter(scoring=scoring, done_at=None).exists()
    return bool(fresh) and not waiting and scoring.state == ScoringState.OPEN


@transaction.atomic
def scoring_finish(*, scoring: ScoringPass, picks: Sequence[Scored], origin: Origin, at: datetime) -> bool:
    """Swap the frontier and close the pass at once. False where a newer pass, or a second delivery, was faster."""
    row = ScoringPass.objects.select_for_update(no_key=True).get(pk=scoring.pk)
    if row.state != ScoringState.OPEN:
        return False
    frontier_swap(project=scoring.project, picks=picks, origin=origin, at=at)
    row.state, row.finished_at, row.seconds = ScoringState.DONE, at, dict(origin.seconds)
    row.save(update_fields=["state", "finished_at", "seconds"])
    kept = ScoringPass.objects.filter(project_id=row.project_id).values_list("pk", flat=True)[:KEPT]
    ScoringPass.objects.filter(project_id=row.project_id).exclude(pk__in=list(kept)).delete()
    return True


def scoring_fail(*, scoring: ScoringPass, sentence: str, at: datetime) -> None:
    """Nothing came of it; the order before stays."""
    ScoringPass.objects.filter(pk=scoring.pk, state=ScoringState.OPEN).update(
        state=ScoringState.FAILED, sentence=sentence[:300], finished_at=at
    )


@dataclass(frozen=True)
class Silent:
    """What the sweep sends again: parts by id, and projects whose pass died on the way."""

    part_ids: tuple[int, ...]
    project_ids: tuple[int, ...]


@transaction.atomic
def scoring_silent(*, at: datetime) -> Silent:
    """Parts that nobody has answered for, marked as sent now; passes of one task or with all parts done but no end."""
    parts = ScoringPart.objects.filter(scoring__state=ScoringState.OPEN, done_at=None)
    part_ids = tuple(silent_taken(parts, sign="sent_at", at=at, after=PART_SILENT))
    waiting = ScoringPart.objects.filter(scoring=OuterRef("pk"), done_at=None)
    old = ScoringPass.objects.filter(state=ScoringState.OPEN, requested_at__lt=at - PASS_SILENT)
    dead = list(old.filter(~Exists(waiting)))
    ScoringPass.objects.filter(pk__in=[d.pk for d in dead]).update(state=ScoringState.FAILED, finished_at=at)
    return Silent(part_ids, tuple(d.project_id for d in dead))
