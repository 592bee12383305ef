"""Examples that were deleted on request: what is remembered of them, and that their ids are not taken again unasked."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from hashlib import blake2b

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.audit.services import event_record
from apps.audit.verbs import Verb
from apps.datasets.models import DeadLetter, Example, ExampleTombstone, IngestionState
from apps.errors import Invalid, NotFound
from apps.integrations import wiring
from apps.projects.models import Project
from apps.rules.sentences import sentence
from apps.rules.values import ValueRefused

MOST_REASON = 300  # characters
ALSO_FORGET: list[
    Callable[[Project, str], None]
] = []  # what apps above this one keep of an example, by its external id


class IdErased(ValueRefused):
    """The id of an example that was deleted on request."""


def id_digest(project: Project, external_id: str) -> str:
    """32 hex digits; with the project's salt, so that ids cannot be tried out by a table made beforehand."""
    return blake2b(external_id.encode(), digest_size=16, key=project.holdout_salt.encode()[:64]).hexdigest()


def tombstones_of(project: Project) -> QuerySet[ExampleTombstone]:
    """Newest first."""
    return ExampleTombstone.objects.filter(project=project).select_related("by")


def uncleared() -> QuerySet[ExampleTombstone]:
    """Those whose vectors still stand in shards, of all projects."""
    return ExampleTombstone.objects.filter(cleared_at=None)


def tombstone_clear(tombstone: ExampleTombstone, *, at: datetime) -> int:
    """Its vectors are gone; 0 where another worker said so before."""
    return ExampleTombstone.objects.filter(pk=tombstone.pk, cleared_at=None).update(cleared_at=at)


def tombstone_of(project: Project, number: int) -> ExampleTombstone | None:
    return ExampleTombstone.objects.filter(project=project, number=number).first()


def assignment_erased(project: Project, assignment_id: int) -> bool:
    """Whether this assignment was open when its example was deleted."""
    return ExampleTombstone.objects.filter(project=project, held__contains=assignment_id).exists()


def erased_numbers(project_id: int) -> set[int]:
    return set(ExampleTombstone.objects.filter(project_id=project_id).values_list("number", flat=True))


def erased_among(project: Project, external_ids: Collection[str]) -> set[str]:
    """Those of the ids that were deleted and may not come back."""
    kept = ExampleTombstone.objects.filter(project=project, allowed_at=None)
    digests = set(kept.values_list("id_digest", flat=True))
    return {x for x in external_ids if id_digest(project, x) in digests} if digests else set()


def refuse_erased(name: str, erased: Collection[str]) -> None:
    if name in erased:
        raise IdErased(
            sentence(
                "The example with this id was deleted on request and is not taken again. "
                "Whoever manages the project can allow the id under Data, Deleted examples. Of the row nothing is kept."
            )
        )


def example_erase(
    *, project: Project, example: Example, reason: str, held: Sequence[int], by: User, at: datetime
) -> ExampleTombstone:
    """Within the caller's transaction: the example with all that hangs on it, and what was kept of it beside.

    Its image and refused rows under its id go too, and the uploaded file that it came with, once that is read.
    """
    reason = " ".join(reason.replace("\x00", "").split())
    if not reason:
        raise Invalid(_("Say why it is deleted; that is kept."), field="reason")
    if len(reason) > MOST_REASON:
        raise Invalid(_("A reason has at most {n} characters.").format(n=MOST_REASON), field="reason")
    tombstone = ExampleTombstone.objects.create(
        project=project,
        number=example.pk,
        id_digest=id_digest(project, example.external_id),
        reason=reason,
        by=by,
        at=at,
        held=list(held),
    )
    DeadLetter.objects.filter(project=project, external_id=example.external_id).delete()
    for forget in ALSO_FORGET:
        forget(project, example.external_id)
    _upload_remove(example)
    number = example.pk
    example.delete()
    event_record(
        project_id=project.pk,
        verb=Verb.EXAMPLE_DELETED,
        subject=f"example {number}",
        by=by,
        at=at,
        sentence=sentence("{by} deleted example {number}: {reason}", by=by, number=number, reason=reason),
        after={"reason": reason},
    )
    return tombstone


def _upload_remove(example: Example) -> None:
    ingestion = example.ingestion
    if ingestion is None or not ingestion.url or ingestion.state != IngestionState.COMPLETED:
        return
    url, ingestion.url = ingestion.url, ""
    ingestion.save(update_fields=["url"])
    transaction.on_commit(lambda: wiring.storage().remove(url))


@transaction.atomic
def id_allow(*, project: Project, number: int, by: User, at: datetime) -> ExampleTombstone:
    """Let the id of a deleted example be sent again; it becomes a new example with a number of its own."""
    found = ExampleTombstone.objects.select_for_update(of=("self",), no_key=True).filter(project=project, number=number)
    tombstone = found.first()
    if tombstone is None:
        raise NotFound(_("No example with this number was deleted."))
    if tombstone.allowed_at is None:
        tombstone.allowed_at = at
        tombstone.save(update_fields=["allowed_at"])
        event_record(
            project_id=project.pk,
            verb=Verb.EXAMPLE_ALLOWED,
            subject=f"example {number}",
            by=by,
            at=at,
            sentence=sentence(
                "{by} allowed the id of example {number}, which was deleted, to be sent again.", by=by, number=number
            ),
        )
    return tombstone
