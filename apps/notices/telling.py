"""Tell people: find who a notice goes to, put it behind their bell, and have mail written."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import F

from apps.accounts.models import User
from apps.live.publish import PERSON, look_again
from apps.live.topics import News
from apps.notices.kinds import NoticeKind
from apps.notices.models import MailReason, MailState, Notice, NoticeChoices, NoticeMail, NoticeTold
from apps.notices.policies import NOTICE_POLICY
from apps.projects.models import Membership, Project
from apps.projects.policies.selectors import policy_in_force
from apps.projects.roles import GRANTS
from apps.rules.notices import NoticeChannel, NoticePolicy, channel_of
from apps.rules.notices.levels import channel_assigned
from apps.work.jobs import ask
from apps.work.names import Job


def mail_on() -> bool:
    """Whether the console has a mail server at all."""
    return bool(settings.EMAIL_HOST)


@dataclass(frozen=True)
class ProjectEars:
    """Who may hear in one project: its policy, its members, and what each of them chose."""

    policy: NoticePolicy
    members: Sequence[Membership]
    levels: dict[int, dict[str, str]]

    def reached(self, kind: NoticeKind, severity: str, *, but: int | None = None) -> list[tuple[User, NoticeChannel]]:
        """Who is told and how; nobody who may not see it, who wants nothing of it, or whose own act it tells of."""
        found: list[tuple[User, NoticeChannel]] = []
        for member in self.members:
            routed = self.policy.reaches(severity, role=member.role, username=member.user.username)
            if not routed or member.user_id == but or kind.permission not in GRANTS.get(member.role, frozenset()):
                continue
            channel = channel_of(self.levels.get(member.user_id, {}), kind.name, severity)
            if channel is not NoticeChannel.NONE:
                found.append((member.user, channel))
        return found


def ears_of(project: Project) -> ProjectEars:
    members = list(Membership.objects.filter(project=project, user__is_active=True).select_related("user"))
    chosen = NoticeChoices.objects.filter(person__in=[member.user_id for member in members])
    return ProjectEars(
        policy_in_force(NOTICE_POLICY, project), members, {each.person_id: each.levels for each in chosen}
    )


def people_told(
    notice: Notice, reached: Iterable[tuple[User, NoticeChannel]], *, reason: MailReason, at: datetime
) -> None:
    """Behind the bell of each, unread; and a mail where they want one."""
    people = list(reached)
    NoticeTold.objects.bulk_create(
        [NoticeTold(notice=notice, person=person, told_at=at) for person, _ in people],
        update_conflicts=True,
        unique_fields=["notice", "person"],
        update_fields=["told_at", "read_at"],
    )
    mailed = [person for person, channel in people if channel is NoticeChannel.MAIL] if mail_on() else []
    mails = [NoticeMail(notice=notice, person=p, reason=reason, created_at=at, next_at=at) for p in mailed]
    if NoticeMail.objects.bulk_create(mails):
        transaction.on_commit(lambda: ask(Job.MAILS))
    bells_look([person.pk for person, _ in people], notice)


def person_assigned(notice: Notice, person: User, *, at: datetime) -> None:
    """Whoever a notice is given to hears of it, whatever the project's policy says."""
    levels = NoticeChoices.objects.filter(person=person).values_list("levels", flat=True).first() or {}
    channel = channel_assigned(levels)
    if channel is not NoticeChannel.NONE:
        people_told(notice, [(person, channel)], reason=MailReason.ASSIGNED, at=at)


def told_again(notice: Notice, *, but: int | None, at: datetime) -> None:
    """Unread once more for those who follow it, apart from the one who acts."""
    NoticeTold.objects.filter(notice=notice).exclude(person=but).update(read_at=None, told_at=at)
    notice_looked_at_again(notice)


def notice_silenced(notice: Notice, *, at: datetime) -> None:
    """It ended: nobody has to read it any more, and mail that waits is not sent."""
    NoticeTold.objects.filter(notice=notice, read_at=None).update(read_at=at)
    waiting = NoticeMail.objects.filter(notice=notice, state=MailState.WAITING)
    waiting.update(state=MailState.DROPPED, next_at=None, owner=None)
    notice_looked_at_again(notice)


def notice_looked_at_again(notice: Notice) -> None:
    """Open pages of everybody who was told of it."""
    bells_look(list(NoticeTold.objects.filter(notice=notice).values_list("person", flat=True)), notice)


def bells_look(people: Iterable[int], notice: Notice | None = None) -> None:
    for person in people:
        look_again(f"{PERSON}.{person}", News.NOTICE, notice.pk if notice else None)


def tellings_read(*, person: User, notice: Notice | None, at: datetime) -> int:
    """One notice read, or all; how many were not."""
    unread = NoticeTold.objects.filter(person=person, read_at=None)
    count = (unread.filter(notice=notice) if notice else unread).update(read_at=at)
    if count:
        bells_look([person.pk])
    return count


def turn_taken(notice: Notice, by: User) -> None:
    """For whoever comes second; the caller holds the row and saves the rest."""
    Notice.objects.filter(pk=notice.pk).update(turn=F("turn") + 1, changed_by=by)
    notice.refresh_from_db(fields=["turn", "changed_by"])
