"""Delete one example everywhere, as a request of privacy asks: every stage forgets it, and its number stays."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.datasets.erasing import example_erase, tombstone_clear, uncleared
from apps.datasets.models import ExampleTombstone
from apps.errors import NotFound
from apps.features.shards.erasing import vectors_erase
from apps.labeling.locks import examples_locked
from apps.labeling.models import Assignment, AssignmentState
from apps.labeling.services.duplicates import duplicates_lock, duplicates_settle
from apps.live.publish import look_again
from apps.live.topics import News, Topic
from apps.monitoring.log.services import predictions_forget
from apps.projects.models import Project
from apps.work.jobs import ask
from apps.work.names import Job

ASKED_AGAIN = timedelta(seconds=30)  # writing the shards of a million texts anew takes about ten


@transaction.atomic
def example_delete(*, project: Project, example_id: int, reason: str, by: User, at: datetime) -> ExampleTombstone:
    """Its row, image, answers, label, queue slots, reviews, guesses, vectors, and the ids of logged predictions.

    What stays names only its number: data versions, reports, the audit trail. People who hold it are told when they
    answer. Copies that had their label of it lose that label. Vectors go by a job within moments, since each shard that
    held it is written anew; nothing finds the example by them meanwhile. Raises NotFound, or Invalid without a reason.
    """
    example = examples_locked(project, [example_id]).get(example_id)
    if example is None:
        raise NotFound(_("There is no such example in this project."))
    digests = duplicates_lock(project_id=project.pk, digests=[example.content_digest])
    open_leases = Assignment.objects.filter(example=example, state=AssignmentState.LEASED)
    held = list(open_leases.values_list("pk", flat=True))
    named = example.external_id
    tombstone = example_erase(project=project, example=example, reason=reason, held=held, by=by, at=at)
    duplicates_settle(project_id=project.pk, digests=digests, at=at)
    predictions_forget(project=project, inference_id=named)
    transaction.on_commit(lambda: ask(Job.VECTORS_CLEAR, project.pk))
    for news in (News.LABELS, News.QUEUE, News.QUALITY):
        look_again(Topic.PROJECT.of(project.pk), news)
    return tombstone


def vectors_clear(*, project_id: int, at: datetime) -> int:
    """Take the vectors of deleted examples out of the shards; how many examples were left. One each transaction."""
    cleared = 0
    for tombstone in uncleared().filter(project=project_id).order_by("pk"):
        vectors_erase(project_id=project_id, example_id=tombstone.number)
        cleared += tombstone_clear(tombstone, at=at)
    return cleared


def vectors_clear_sweep(*, at: datetime) -> list[int]:
    """Projects whose message was lost, or whose worker died on the way: asked again."""
    waiting = uncleared().filter(at__lt=at - ASKED_AGAIN, project__deleting_since=None)
    found = list(waiting.order_by().values_list("project_id", flat=True).distinct())
    for project_id in found:
        ask(Job.VECTORS_CLEAR, project_id)
    return found
