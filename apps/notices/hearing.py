"""Read the audit trail from a cursor and make notices of it: one a cause, which counts what comes again and ends by itself."""

from datetime import datetime, timedelta

from django.db import transaction

from apps.audit.models import Event
from apps.audit.reading import events_taken, scopes_behind
from apps.audit.services import SITE
from apps.notices.kinds import NOTICE_KINDS, NoticeKind, kind_of, verbs_heard
from apps.notices.models import MailReason, Notice
from apps.notices.telling import ProjectEars, ears_of, notice_looked_at_again, notice_silenced, people_told
from apps.projects.models import Project
from apps.rules.notices import louder
from apps.rules.sentences import cut
from apps.work.alone import alone

READER = "notices"  # its name among the readers of the trail
KEPT = timedelta(days=400)  # after it ended: a year to compare with, and a month


def notices_collect(*, at: datetime) -> int:
    """What is new in every project; how many entries were looked at. Two workers take turns at a project."""
    looked = 0
    for scope in scopes_behind(READER):
        with alone("notices_collect", scope), transaction.atomic():
            found = events_taken(READER, scope).events
            looked += len(found)
            if scope != SITE:
                _hear(int(scope.partition(":")[2]), [e for e in found if e.verb in verbs_heard()], at)
    return looked


def notices_wake(*, at: datetime) -> int:
    """Snoozed ones whose time is over are back, unread; how many."""
    due = Notice.objects.filter(snoozed_until__lte=at, resolved_at=None).values_list("pk", flat=True)
    return sum(_wake(pk, at) for pk in list(due))


@transaction.atomic
def _wake(notice_id: int, at: datetime) -> bool:
    row = Notice.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
    notice = row.filter(pk=notice_id, snoozed_until__lte=at, resolved_at=None).select_related("project").first()
    if notice is None:
        return False
    notice.snoozed_until = None
    notice.save(update_fields=["snoozed_until"])
    kind = kind_of(notice.kind)
    if kind is not None and notice.project.archived_at is None:
        _tell(notice, kind, ears_of(notice.project), MailReason.BACK, None, at)
    return True


def notices_forget(*, at: datetime) -> int:
    """What ended more than a year ago, with what was said about it; the trail keeps who did what."""
    old = Notice.objects.filter(resolved_at__lt=at - KEPT)
    count = old.count()
    old.delete()
    return count


def _hear(project_id: int, events: list[Event], at: datetime) -> None:
    project = Project.objects.filter(pk=project_id, deleting_since=None).first() if events else None
    if project is None:
        return
    ears = ears_of(project)
    for event in events:
        for kind in NOTICE_KINDS.values():
            severity = kind.severity_of(event)
            if severity is not None:
                _open(project, kind, severity, event, ears, at)
            elif kind.ended_by(event):
                _end(project, kind, event, at)


def _open(project: Project, kind: NoticeKind, severity: str, event: Event, ears: ProjectEars, at: datetime) -> None:
    cause = kind.cause(event.subject)[:120]
    notice = _locked(project, cause)
    if notice is not None and not kind.passing:
        _again(notice, kind, severity, event, ears, at)
        return
    notice = Notice.objects.create(
        project=project,
        kind=kind.name,
        cause=cause,
        severity=str(severity),
        sentence=cut(event.sentence, 400),
        parts=event.parts,
        subject=event.subject,
        sequence=event.sequence,
        opened_at=event.at,
        last_seen_at=event.at,
        resolved_at=event.at if kind.passing else None,
    )
    _tell(notice, kind, ears, MailReason.RAISED, event.actor_id, at)


def _again(notice: Notice, kind: NoticeKind, severity: str, event: Event, ears: ProjectEars, at: datetime) -> None:
    """The same cause once more: it counts, and stays as quiet as it is, unless it is louder now."""
    worse = louder(severity, notice.severity)
    notice.times_seen += 1
    notice.last_seen_at, notice.sequence, notice.subject = event.at, event.sequence, event.subject
    notice.sentence, notice.parts = event.sentence, event.parts
    if worse:
        notice.severity, notice.snoozed_until = str(severity), None
    notice.save()
    if worse:
        _tell(notice, kind, ears, MailReason.WORSENED, event.actor_id, at)
    else:
        notice_looked_at_again(notice)


def _end(project: Project, kind: NoticeKind, event: Event, at: datetime) -> None:
    """What it tells of is over: the entry that says so is its note."""
    notice = _locked(project, kind.cause(event.subject)[:120])
    if notice is None:
        return
    notice.resolved_at, notice.resolved_by_id, notice.snoozed_until = event.at, event.actor_id, None
    notice.note, notice.note_parts = event.sentence, event.parts
    notice.save()
    notice_silenced(notice, at=at)


def _locked(project: Project, cause: str) -> Notice | None:
    """The open one of this cause."""
    row = Notice.objects.select_for_update(of=("self",), no_key=True)
    return row.filter(project=project, cause=cause, resolved_at=None).first()


def _tell(
    notice: Notice, kind: NoticeKind, ears: ProjectEars, reason: MailReason, by: int | None, at: datetime
) -> None:
    people_told(notice, ears.reached(kind, notice.severity, but=by), reason=reason, at=at)
