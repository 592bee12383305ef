"""A release that waits for a second person: asked for, approved or declined by somebody else, ended by what comes first."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext

from apps.accounts.models import User
from apps.audit.services import event_record
from apps.audit.verbs import Verb
from apps.errors import DomainError, NotFound
from apps.live.publish import look_again
from apps.live.topics import News, Topic
from apps.projects.access import project_for
from apps.projects.models import Project
from apps.projects.roles import Permission
from apps.releases.models import Approval, ModelVersion, ReleaseRequest, RequestState, Rollout
from apps.releases.registry.rules import release_rules_of
from apps.rules.sentences import sentence

REQUEST_LASTS = timedelta(days=7)  # what was true of the model and its users a week ago is looked at again
MOST_WORDS, MOST_AT_ONCE = 400, 100


class SecondPersonNeeded(DomainError):
    code = "second_person_needed"


def needs_second_person(project: Project) -> bool:
    return release_rules_of(project).approval == Approval.SECOND_PERSON


def second_person_refuse(project: Project, version: ModelVersion) -> None:
    """Raises SecondPersonNeeded where releases of this project wait for one."""
    if needs_second_person(project):
        raise SecondPersonNeeded(
            gettext("Releases of this project need a second person: ask for the release of v{number}.").format(
                number=version.number
            )
        )


def approved_one(rollout: Rollout) -> bool:
    """Whether a second person let this rollout start."""
    return ReleaseRequest.objects.filter(rollout=rollout).exists()


def requests_of(project: Project) -> QuerySet[ReleaseRequest]:
    """Newest first."""
    return ReleaseRequest.objects.filter(project=project).select_related("version", "by", "decided_by")


def request_waiting(project: Project, at: datetime) -> ReleaseRequest | None:
    return requests_of(project).filter(state=RequestState.WAITING, at__gt=at - REQUEST_LASTS).first()


def request_for(user: User, request_id: int, permission: Permission, *, changes: bool = False) -> ReleaseRequest:
    found = (
        ReleaseRequest.objects.select_related("project", "version", "by", "decided_by").filter(pk=request_id).first()
    )
    unseen = gettext("There is no such request.")
    if found is None:
        raise NotFound(unseen)
    project_for(user, found.project_id, permission, unseen=unseen, changes=changes)
    return found


def request_in(project: Project, request_id: int) -> ReleaseRequest:
    found = requests_of(project).filter(pk=request_id).first()
    if found is None:
        raise NotFound(gettext("There is no such request in this project."))
    return found


@transaction.atomic
def request_end(
    *, request: ReleaseRequest, state: RequestState, words: str, by: User | None, at: datetime
) -> ReleaseRequest:
    """Within the lock of the project's row. `words` is what whoever decided said, or why nobody needs to any more."""
    request.state, request.decided_by, request.decided_at = state, by, at
    request.answer = words.strip()[:MOST_WORDS]
    request.save()
    version = request.version.number
    say = {
        RequestState.APPROVED: sentence("{by} approved the release of v{version}.", by=by, version=version),
        RequestState.DECLINED: sentence("{by} declined the release of v{version}.", by=by, version=version),
        RequestState.WITHDRAWN: sentence("{by} withdrew the request to release v{version}.", by=by, version=version),
        RequestState.EXPIRED: sentence("The request to release v{version} expired.", version=version),
        RequestState.SUPERSEDED: sentence("The request to release v{version} was overtaken.", version=version),
    }[state]
    verb = {RequestState.APPROVED: Verb.RELEASE_APPROVED, RequestState.DECLINED: Verb.RELEASE_DECLINED}
    event_record(
        project_id=request.project_id,
        verb=verb.get(state, Verb.RELEASE_REQUEST_ENDED),
        subject=f"release request {request.pk}",
        by=by,
        at=at,
        sentence=say,
        after={"version": version, "state": str(state), "words": request.answer},
    )
    look_again(Topic.PROJECT.of(request.project_id), News.MODEL, request.version_id)
    return request


def requests_expire(*, at: datetime) -> int:
    """End those that nobody decided in time; returns how many."""
    old = ReleaseRequest.objects.filter(state=RequestState.WAITING, at__lte=at - REQUEST_LASTS)
    return sum(_expired(request_id, at) for request_id in old.values_list("pk", flat=True)[:MOST_AT_ONCE])


@transaction.atomic
def _expired(request_id: int, at: datetime) -> bool:
    row = ReleaseRequest.objects.select_related("project", "version").get(pk=request_id)
    Project.objects.select_for_update(no_key=True).get(pk=row.project_id)
    row.refresh_from_db(fields=["state"])
    if row.state != RequestState.WAITING:
        return False
    request_end(request=row, state=RequestState.EXPIRED, words="", by=None, at=at)
    return True


def requests_overtaken(*, project: Project, by: User | None, at: datetime, only: ModelVersion | None = None) -> None:
    """End what waits: another request came, the version serves, or a roll-back changed what it would stand beside."""
    waiting = ReleaseRequest.objects.select_related("version").filter(project=project, state=RequestState.WAITING)
    for request in waiting.filter(version=only) if only else waiting:
        old = request.at <= at - REQUEST_LASTS
        state = RequestState.EXPIRED if old else RequestState.SUPERSEDED
        request_end(request=request, state=state, words="", by=by, at=at)
