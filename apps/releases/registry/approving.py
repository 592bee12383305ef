"""The one click, with or without a second person. Going back is never kept waiting: roll back asks nobody."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext

from apps.accounts.models import User
from apps.audit.services import event_record
from apps.audit.verbs import Verb
from apps.errors import DomainError, Invalid
from apps.live.publish import look_again
from apps.live.topics import News, Topic
from apps.projects.models import Project
from apps.releases.models import ModelVersion, ReleaseRequest, RequestState, Rollout
from apps.releases.registry.requests import (
    REQUEST_LASTS,
    SecondPersonNeeded,
    needs_second_person,
    request_end,
    requests_overtaken,
)
from apps.releases.rollouts.services import goes_back, release_start
from apps.releases.services import champion_now, version_refuse
from apps.rules.sentences import sentence


class RequestWaits(DomainError):
    code = "request_waits"


class RequestDecided(DomainError):
    code = "request_decided"


@transaction.atomic
def release_ask(*, version: ModelVersion, reason: str, by: User, at: datetime) -> Rollout | ReleaseRequest:
    """Starts what the project's policy says; where it wants a second person, asks for one instead. A version that served
    lately is gone back to at once. Raises what forbids the release, or RequestWaits."""
    project = Project.objects.select_for_update(no_key=True).get(pk=version.project_id)
    version = ModelVersion.objects.select_related("report", "run").get(pk=version.pk)
    champion = champion_now(project)
    if not needs_second_person(project) or goes_back(project, version, champion):
        return release_start(version=version, reason=reason, by=by, at=at)
    version_refuse(project=project, version=version, champion=champion, reason=reason)
    have = ReleaseRequest.objects.filter(project=project, state=RequestState.WAITING, version=version).first()
    if have and have.at > at - REQUEST_LASTS:
        raise RequestWaits(
            gettext("v{number} waits for a second person already.").format(number=version.number), request=have.pk
        )
    requests_overtaken(project=project, by=by, at=at)
    made = ReleaseRequest.objects.create(project=project, version=version, reason=reason.strip()[:400], by=by, at=at)
    event_record(
        project_id=project.pk,
        verb=Verb.RELEASE_ASKED,
        subject=f"release request {made.pk}",
        by=by,
        at=at,
        sentence=sentence("{by} asked to release v{version}.", by=by, version=version.number),
        after={"version": version.number, "state": str(made.state), "words": made.reason},
    )
    look_again(Topic.PROJECT.of(project.pk), News.MODEL, version.pk)
    return made


@transaction.atomic
def request_approve(*, request: ReleaseRequest, answer: str, by: User, at: datetime) -> Rollout:
    """Release it, as the policy says now. Raises SecondPersonNeeded for whoever asked, RequestDecided where it waits no more,
    and what forbids the release by now."""
    row = _locked(request, at)
    if row.by_id == by.pk:
        raise SecondPersonNeeded(
            gettext("You asked for the release of v{number}; somebody else approves it.").format(
                number=row.version.number
            )
        )
    request_end(request=row, state=RequestState.APPROVED, words=answer, by=by, at=at)
    asker = row.by or by
    rollout = release_start(version=row.version, reason=row.reason, by=asker, at=at, approved=True)
    row.rollout = rollout
    row.save(update_fields=["rollout"])
    return rollout


@transaction.atomic
def request_decline(*, request: ReleaseRequest, answer: str, by: User, at: datetime) -> ReleaseRequest:
    """With a sentence that says why; whoever asked withdraws it instead and needs none. Raises Invalid, RequestDecided."""
    row = _locked(request, at)
    if row.by_id == by.pk:
        return request_end(request=row, state=RequestState.WITHDRAWN, words=answer, by=by, at=at)
    if not answer.strip():
        raise Invalid(gettext("Say why it is declined; whoever asked reads it."), field="reason")
    return request_end(request=row, state=RequestState.DECLINED, words=answer, by=by, at=at)


def _locked(request: ReleaseRequest, at: datetime) -> ReleaseRequest:
    """The request under the lock of its project's row: of two who decide at one moment the second one sees what the first did."""
    Project.objects.select_for_update(no_key=True).get(pk=request.project_id)
    row = ReleaseRequest.objects.select_related("project", "version", "by", "decided_by").get(pk=request.pk)
    if row.state == RequestState.WAITING and row.at <= at - REQUEST_LASTS:
        raise RequestDecided(gettext("This request is older than 7 days. Ask again."))
    if row.state != RequestState.WAITING:
        raise RequestDecided(_already(row))
    return row


def _already(row: ReleaseRequest) -> str:
    number, by = row.version.number, row.decided_by or gettext("Somebody")
    said = {
        RequestState.APPROVED: gettext("{by} approved the release of v{number} already; nothing was done twice."),
        RequestState.DECLINED: gettext("{by} declined the release of v{number} already; nothing was changed."),
        RequestState.WITHDRAWN: gettext("{by} withdrew the request to release v{number}; nothing was changed."),
    }.get(RequestState(row.state), gettext("The request to release v{number} was overtaken; look again."))
    return said.format(by=by, number=number)
