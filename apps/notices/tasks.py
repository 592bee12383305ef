"""The jobs that send mail. Fetch, call one service, done."""

from apps.notices.mailing import mails_send, trial_send
from apps.work.jobs import task
from apps.work.names import Job


@task(Job.MAILS, expires=60)
def mails() -> None:
    mails_send()


@task(Job.MAIL_TRIAL, expires=60)
def trial(person_id: int) -> None:
    trial_send(person_id=person_id)
