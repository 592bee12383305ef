"""Runs by the clock. Times are rows of django-celery-beat; our own tick fires them, so that a run missed while the
console was down is started once, whatever the number of times that passed, and one process fires it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, time

from django.db import transaction
from django.utils.translation import gettext
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from apps.accounts.models import User
from apps.audit.services import english, event_record
from apps.audit.verbs import Verb
from apps.errors import Invalid
from apps.live.publish import look_again
from apps.live.topics import News, Topic
from apps.projects.models import Project
from apps.rules.sentences import joined, lowered, sentence, term
from apps.rules.values.zones import zone_of
from apps.training.models import RunKind, Schedule
from apps.training.selectors import kinds_of

DAYS = tuple(range(7))  # cron's: Sunday is 0
WORDS = 200  # of what came of the last time; django-celery-beat's description has no limit


@dataclass(frozen=True)
class Times:
    """Days of the week (Sunday is 0) and a time of day there."""

    days: tuple[int, ...]
    at: time
    zone: str = "UTC"
    enabled: bool = field(default=True, kw_only=True)


# Nobody is at work then; a full run starts once a week, after the incremental one of that night.
DEFAULTS = {RunKind.INCREMENTAL: Times(DAYS, time(2, 0)), RunKind.FULL: Times((0,), time(3, 0))}


def next_after(schedule: Schedule, moment: datetime) -> datetime:
    """The first time of the schedule after a moment, in UTC."""
    crontab = schedule.task.crontab.schedule
    local, delta, _ = crontab.remaining_delta(moment.astimezone(crontab.tz), tz=crontab.tz)
    found: datetime = local + delta
    return found.astimezone(UTC)


@transaction.atomic
def schedules_ensure(*, project: Project, at: datetime) -> list[Schedule]:
    """The project's schedules; one that never had any gets the defaults. Their first time lies after `at`."""
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    have = list(Schedule.objects.filter(project=project).select_related("task__crontab"))
    return have or [_write(project, kind, times, at) for kind, times in DEFAULTS.items()]


@transaction.atomic
def schedule_set(*, project: Project, kind: str, times: Times, by: User, at: datetime) -> Schedule:
    """Write one kind's times. Those that lie before `at` are not made up for. Raises Invalid with the field."""
    kinds = kinds_of(project)
    if kind not in kinds:
        raise Invalid(
            gettext("The kind “{kind}” is not known here. Known are {values}.").format(
                kind=kind, values=", ".join(kinds)
            ),
            field="kind",
        )
    if not times.days or not set(times.days) <= set(DAYS):
        raise Invalid(gettext("Choose at least one day of the week, or switch the schedule off."), field="days")
    if zone_of(times.zone) is None:
        raise Invalid(
            gettext("No time zone is called “{zone}”. Names look like Europe/Berlin or UTC.").format(zone=times.zone),
            field="zone",
        )
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    schedule = _write(project, RunKind(kind), times, at)
    event_record(
        project_id=project.pk,
        verb=Verb.SCHEDULE_SET,
        subject=f"schedule {kind}",
        by=by,
        at=at,
        sentence=sentence(
            "{by} set the schedule of {kind} runs: {words}.",
            by=by,
            kind=lowered(english(RunKind(kind).label)),
            words=_words(times),
        ),
        after={"times": _words(times)},
    )
    return schedule


def _write(project: Project, kind: RunKind, times: Times, at: datetime) -> Schedule:
    crontab, _ = CrontabSchedule.objects.get_or_create(
        minute=str(times.at.minute),
        hour=str(times.at.hour),
        day_of_month="*",
        month_of_year="*",
        timezone=times.zone,
        day_of_week="*" if len(set(times.days)) == len(DAYS) else ",".join(map(str, sorted(set(times.days)))),
    )
    have = Schedule.objects.filter(project=project, kind=kind).select_related("task").first()
    task = have.task if have else PeriodicTask(name=f"project {project.pk}: {kind}", task="loop.schedules")
    task.crontab, task.enabled, task.last_run_at = crontab, times.enabled, at
    task.save()
    return have or Schedule.objects.create(project=project, kind=kind, task=task)


def times_of(schedule: Schedule) -> Times:
    crontab = schedule.task.crontab
    days = DAYS if crontab.day_of_week == "*" else tuple(int(day) for day in crontab.day_of_week.split(","))
    return Times(
        days, time(int(crontab.hour), int(crontab.minute)), str(crontab.timezone), enabled=schedule.task.enabled
    )


def _words(times: Times) -> str:
    names = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")
    days = joined([term(names[day]) for day in sorted(set(times.days))], ", ")
    days = term("every day") if len(set(times.days)) == len(DAYS) else days
    at = f"{times.at:%H:%M}"
    return sentence("{days} at {at} {zone}", days=days, at=at, zone=times.zone) if times.enabled else term("off")


def schedules_due(*, at: datetime) -> list[int]:
    """Those whose time has come, or came while nobody looked."""
    found = Schedule.objects.filter(task__enabled=True).select_related("task__crontab")
    return [s.pk for s in found if next_after(s, s.task.last_run_at or at) <= at]


@transaction.atomic
def schedule_claim(*, schedule_id: int, at: datetime) -> Schedule | None:
    """Mark a due schedule as fired, before what it starts: it fires at most once. None where another process did."""
    schedule = (
        Schedule.objects.select_for_update(of=("self",), skip_locked=True)
        .select_related("task__crontab", "project")
        .filter(pk=schedule_id)
        .first()
    )
    if schedule is None or not schedule.task.enabled or next_after(schedule, schedule.task.last_run_at or at) > at:
        return None
    PeriodicTask.objects.filter(pk=schedule.task_id).update(last_run_at=at)
    return schedule


def schedule_fired(*, schedule: Schedule, sentence: str) -> None:
    """Keep what came of it, for the page."""
    PeriodicTask.objects.filter(pk=schedule.task_id).update(description=sentence[:WORDS])
    look_again(Topic.PROJECT.of(schedule.project_id), News.RUN, 0)
