"""The job that sends. Fetch, call one service, done."""

from apps.webhooks.sending import deliveries_send
from apps.work.jobs import task
from apps.work.names import Job


@task(Job.WEBHOOKS, expires=60)
def send() -> None:
    deliveries_send()
