"""A mail that somebody sends themselves, to see whether mail reaches them."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext

from apps.accounts.models import User
from apps.errors import Invalid, TooMany
from apps.notices.choosing import choices_of, mail_address
from apps.notices.models import MailState, MailTrial
from apps.notices.telling import mail_on
from apps.work.jobs import ask
from apps.work.names import Job

APART = timedelta(seconds=10)  # between two of one person
WORKER_TAKES = timedelta(minutes=1)  # longer, and no worker is there

NO_SERVER = "SMTP_HOST"


@transaction.atomic
def trial_start(*, person: User, at: datetime) -> MailTrial:
    """Have a worker send one. Raises Invalid where there is no server or no address, TooMany."""
    if not mail_on():
        raise Invalid(
            gettext("The console sends no mail. Whoever runs it sets {setting}.").format(setting=NO_SERVER),
            field="mail_to",
        )
    address = mail_address(choices_of(person))
    if not address:
        raise Invalid(gettext("Say first where mail goes, and save it."), field="mail_to")
    User.objects.select_for_update(no_key=True).get(pk=person.pk)
    before = trial_of(person)
    if before is not None and at - before.created_at < APART:
        wait = int(APART.total_seconds())
        raise TooMany(gettext("One test in {n} s is enough.").format(n=wait), retry_after_s=wait)
    fresh = {"mail_to": address, "created_at": at, "state": MailState.WAITING, "error": "", "parts": {}}
    none = {"owner": None, "leased_until": None, "next_at": None, "tried_at": None, "attempts": 0}
    made, _ = MailTrial.objects.update_or_create(person=person, defaults=fresh | none)
    transaction.on_commit(lambda: ask(Job.MAIL_TRIAL, person.pk))
    return made


def trial_of(person: User) -> MailTrial | None:
    """The newest one."""
    return MailTrial.objects.filter(person=person).first()


def trial_forgotten(trial: MailTrial, at: datetime) -> bool:
    """Whether no worker took it."""
    return trial.state == MailState.WAITING and not trial.is_held(at) and at - trial.created_at > WORKER_TAKES
