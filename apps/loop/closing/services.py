"""Put a project into the archive, take it out, and have one deleted for good."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.audit.services import event_record
from apps.audit.verbs import Verb
from apps.datasets.erasing import MOST_REASON
from apps.errors import DomainError, Invalid
from apps.live.publish import look_again, rights_changed
from apps.live.topics import News, Topic
from apps.loop.closing.deleting import deletion_send
from apps.projects.access import refuse_archived
from apps.projects.models import Project, ProjectDeletion
from apps.projects.schema import project_rename
from apps.releases.models import Mirrored
from apps.rules.sentences import sentence
from apps.training.models import OPEN_STATES, OnlineLearner, Run, Sweep, SweepState


class NotArchived(DomainError):
    """Only what is in the archive may be deleted."""

    code = "not_archived"


@transaction.atomic
def project_archive(*, project: Project, by: User, at: datetime) -> Project:
    """Read only from now on. What runs goes on to its end, what waits keeps waiting, nothing starts by itself.

    The champion goes on answering: other systems may ask it, and tidying up a list must not take them down.
    """
    found = Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    if found.archived_at is not None:
        return found
    found.archived_at = at
    found.save(update_fields=["archived_at"])
    _record(found, Verb.PROJECT_ARCHIVED, sentence("{by} put the project into the archive.", by=by), by, at)
    return found


@transaction.atomic
def project_unarchive(*, project: Project, by: User, at: datetime) -> Project:
    """In use again: what waited goes on, triggers and schedules count from the labels and times that are there."""
    found = Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    if found.archived_at is None:
        return found
    found.archived_at = None
    found.save(update_fields=["archived_at"])
    _record(found, Verb.PROJECT_UNARCHIVED, sentence("{by} took the project out of the archive.", by=by), by, at)
    return found


@transaction.atomic
def project_change(
    *, project: Project, name: str | None = None, archived: bool | None = None, by: User, at: datetime
) -> Project:
    """Name and place at once; None leaves as it is. Out of the archive first and into it last, so that both go together.

    Raises ProjectArchived for another name in the archive, Invalid for a name that is taken.
    """
    if archived is False:
        project = project_unarchive(project=project, by=by, at=at)
    if name is not None:
        refuse_archived(project)
        project = project_rename(project=project, name=name, by=by, at=at)
    return project_archive(project=project, by=by, at=at) if archived else project


def _record(project: Project, verb: Verb, words: str, by: User, at: datetime) -> None:
    event_record(project_id=project.pk, verb=verb, subject=f"project {project.pk}", by=by, at=at, sentence=words)
    look_again(Topic.PROJECT.of(project.pk), News.SCHEMA)


@transaction.atomic
def project_delete(*, project: Project, name: str, reason: str, by: User, at: datetime) -> ProjectDeletion:
    """From now on nobody opens it and its model answers no more; a job removes everything. There is no way back.

    Raises NotArchived, or Invalid where the name is not the project's or there is no reason.
    """
    found = Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    if found.archived_at is None:
        raise NotArchived(_("Only a project in the archive can be deleted. Put it there first; that can be undone."))
    if name.strip() != found.name:
        raise Invalid(_("Type the name of the project, “{name}”, to delete it.").format(name=found.name), field="name")
    reason = " ".join(reason.replace("\x00", "").split())
    if not reason:
        raise Invalid(_("Say why it is deleted; that is kept."), field="reason")
    if len(reason) > MOST_REASON:
        raise Invalid(_("A reason has at most {n} characters.").format(n=MOST_REASON), field="reason")
    found.deleting_since = at
    found.save(update_fields=["deleting_since"])
    _stop(found, at)
    deletion = ProjectDeletion.objects.create(
        number=found.pk,
        name=found.name,
        slug=found.slug,
        reason=reason,
        by=by,
        asked_at=at,
        sent_at=at,
        mirrored=Mirrored.objects.filter(run__project=found).exclude(tracking_run="").count(),
    )
    for member in found.memberships.all():
        rights_changed(member.user_id)
    transaction.on_commit(lambda: deletion_send(number=deletion.number))
    return deletion


def _stop(project: Project, at: datetime) -> None:
    """Workers see it at their next report, within seconds; the deletion waits for them."""
    Run.objects.filter(project=project, state__in=OPEN_STATES, cancel_requested_at=None).update(cancel_requested_at=at)
    open_sweeps = Sweep.objects.filter(project=project, state=SweepState.RUNNING)
    open_sweeps.update(state=SweepState.CANCELED, cancel_requested_at=at, finished_at=at)
    OnlineLearner.objects.filter(project=project).update(enabled=False)
