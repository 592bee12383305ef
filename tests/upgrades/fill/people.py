"""People, what Django and its clock keep of their own, and how a project gets its members."""

from datetime import UTC, datetime

from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    PeriodicTasks,
    SolarSchedule,
)
from knox.crypto import hash_token
from knox.models import AuthToken

from apps.accounts.models import User
from apps.audit.services import event_record
from apps.projects.models import Project
from apps.projects.roles import Role
from apps.projects.services import LabelSpec, member_set, project_create
from tests.rows import HOUR

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
LATER = NOON + 6 * HOUR
TOKEN = "0f" * 32  # of Ada, for the API; nothing that runs anywhere accepts it
PAYLOADS = ("Reset my password", "Cheap pills, today only", "Invoice 4711 is wrong", "You have won a prize")


def people() -> dict[str, User]:
    """One a role, one who may not sign in, and one who will be deleted; the password of all is `correct horse`."""
    made = {
        name: User.objects.create_user(name, f"{name}@example.com", "correct horse", display_name=name.title())
        for name in ("ada", "grace", "rosa", "mona", "lin", "alma", "mallory", "gone")
    }
    alma = made["alma"]
    alma.may_create_projects = alma.is_staff = alma.is_superuser = True
    alma.save()
    made["mallory"].is_active = False
    made["mallory"].set_unusable_password()
    made["mallory"].save()
    AuthToken(user=made["ada"], digest=hash_token(TOKEN), token_key=TOKEN[:15], expiry=NOON + 365 * 24 * HOUR).save()
    group = Group.objects.create(name="Auditors")
    group.permissions.set(Permission.objects.filter(codename__in=["view_event", "view_label", "view_project"]))
    alma.groups.add(group)
    made["mona"].user_permissions.add(Permission.objects.get(codename="view_golditem"))
    LogEntry.objects.create(
        user=alma,
        content_type=ContentType.objects.get(app_label="projects", model="project"),
        object_id="1",
        object_repr="Handwritten digits",
        action_flag=2,
        change_message="Changed the name.",
        action_time=NOON,
    )
    Session.objects.create(
        session_key="madeupsessionkey0123456789abcdef", session_data="e30:made-up", expire_date=LATER
    )
    event_record(
        scope="site",
        verb="user.created",
        subject="user ada",
        sentence="Alma created Ada’s account.",
        by=alma,
        at=NOON,
        after={"username": "ada", "umlaut": "ü"},
    )
    return made


def clock_rows() -> None:
    """django-celery-beat's own tables; those of projects' schedules come with them."""
    every = IntervalSchedule.objects.create(every=5, period="minutes")
    solar = SolarSchedule.objects.create(event="sunrise", latitude=52.5, longitude=13.4)
    once = ClockedSchedule.objects.create(clocked_time=LATER)
    PeriodicTask.objects.create(name="every five minutes", task="loop.refill", interval=every, last_run_at=NOON)
    PeriodicTask.objects.create(name="at sunrise", task="loop.refill", solar=solar, enabled=False)
    PeriodicTask.objects.create(name="once", task="loop.refill", clocked=once, one_off=True)
    CrontabSchedule.objects.create(minute="30", hour="4", timezone="Europe/Berlin")
    PeriodicTasks.objects.update_or_create(ident=1, defaults={"last_update": NOON})


def project_of(who: dict[str, User], name: str, task_type: str, labels: tuple[str, ...], **more: object) -> Project:
    """With everybody in their role."""
    project = project_create(
        name=name,
        task_type=task_type,
        labels=[LabelSpec(x) for x in labels],
        guidelines=f"What *{name}* wants.",
        by=who["alma"],
        at=NOON,
        **more,
    )
    for person, role in (
        ("ada", Role.ANNOTATOR),
        ("grace", Role.ANNOTATOR),
        ("rosa", Role.REVIEWER),
        ("mona", Role.MANAGER),
        ("lin", Role.ENGINEER),
    ):
        member_set(project=project, username=person, role=role, by=who["alma"], at=NOON)
    return project
