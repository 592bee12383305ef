"""Send jobs by name, and be one. The row is the truth: a message that is lost is sent again by a sweep.

The only module beside the adapter that knows Celery, and it loads it where a task is defined, never in the web process.
"""

from collections.abc import Callable, Iterable
from typing import Any

from apps.integrations import wiring
from apps.integrations.ports import Unavailable
from apps.work.names import Job


def send(job: Job, *args: object) -> None:
    """Raises Unavailable where nobody would hear it: for what a person waits for."""
    wiring.jobs.send(job, args=args, queue=job.queue)


def ask(job: Job, *args: object) -> bool:
    """Send where Redis answers; False where it does not, and then a sweep asks again."""
    try:
        send(job, *args)
    except Unavailable:
        return False
    return True


def ask_each(job: Job, each: Iterable[tuple[object, ...]]) -> bool:
    """One message for each of the arguments, all over one connection."""
    try:
        wiring.jobs.send_group(job, each=list(each), queue=job.queue)
    except Unavailable:
        return False
    return True


def task(job: Job, *, expires: int | None = None) -> Callable[[Callable[..., Any]], Any]:
    """Make a function the one that does this job; a message older than `expires` seconds is thrown away."""
    from celery import shared_task

    made: Callable[[Callable[..., Any]], Any] = shared_task(name=str(job), **({"expires": expires} if expires else {}))
    return made
