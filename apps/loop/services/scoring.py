"""Ask for the order of the queue and the vectors behind it, and again where a message or a worker was lost."""

from datetime import datetime, timedelta

from apps.datasets.models import Example
from apps.features.models import EmbeddingShard
from apps.features.shards import vectors_lacking
from apps.integrations import wiring
from apps.labeling.models import AutoBatch, Frontier, FrontierItem, Lane
from apps.labeling.services.frontier import DEPTH
from apps.labeling.services.scoring import scoring_silent
from apps.loop.services.encoders import encoders_needed
from apps.projects.models import Project
from apps.rules.acquisition import START
from apps.work.jobs import ask
from apps.work.names import Job

SETTLED = timedelta(minutes=2)  # new examples are embedded, and then scored, by messages of their own; after that ask
FORGOTTEN = timedelta(days=1)  # no ordering takes that long
RUNS_LOW = DEPTH[Lane.ACTIVE] // 4


def vectors_ask(project_id: int) -> None:
    """Vectors first; once they are there the worker asks for a new order itself."""
    ask(Job.EMBED, project_id)


def order_ask(project_id: int) -> None:
    ask(Job.SCORE, project_id)


def scoring_sweep(*, at: datetime) -> None:
    """Send again what nobody answered for."""
    silent = scoring_silent(at=at)
    for part_id in silent.part_ids:
        ask(Job.SCORE_PART, part_id)
    for project_id in silent.project_ids:
        order_ask(project_id)


def candidates_sweep(*, at: datetime) -> None:
    """Remove the files of parts that nobody merged: their ordering was superseded, or failed."""
    for url, modified in wiring.storage().listed("scoring"):
        if modified < at - FORGOTTEN:
            wiring.storage().remove(url)


def order_check(*, project: Project, at: datetime) -> None:
    """Examples that came after the last scoring have no rank yet, and a lane that runs low has only few left."""
    newest = Example.objects.filter(project=project).order_by("-id").first()
    if newest is None or newest.ingested_at > at - SETTLED:
        return
    frontier = Frontier.objects.filter(project=project).first()
    scored_at = frontier.scored_at if frontier else None
    if vectors_lacking(project.pk, encoders_needed(project)):
        shard = EmbeddingShard.objects.filter(project=project).order_by("-created_at").first()
        if shard is None or shard.created_at < at - SETTLED:  # nobody is at it
            vectors_ask(project.pk)
    elif (
        scored_at is None
        or newest.ingested_at > scored_at
        or (frontier and (_runs_low(frontier, at) or _was_set_otherwise(frontier, project)))
        or AutoBatch.objects.filter(project=project, withdrawn_at__gt=scored_at).exists()  # its examples are open again
    ):
        order_ask(project.pk)


def _was_set_otherwise(frontier: Frontier, project: Project) -> bool:
    """Somebody chose another strategy since; a cold start stands in for every one that asks a model."""
    return frontier.strategy not in (project.queue.strategy, START)


def _runs_low(frontier: Frontier, at: datetime) -> bool:
    """Many were left out at the last scoring, and most of those that were in are answered."""
    if frontier.pool_size <= DEPTH[Lane.ACTIVE] or frontier.scored_at is None or frontier.scored_at > at - SETTLED:
        return False
    return FrontierItem.objects.filter(project_id=frontier.pk, lane=Lane.ACTIVE).count() < RUNS_LOW
