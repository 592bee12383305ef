"""Where a notice leads: the page of what it is about, from the subject of its entry (“run 7”), or the list it stands in."""

from django.urls import reverse

from apps.training.models import Run, Sweep


def number_of(subject: str) -> int:
    """0 for a subject without one."""
    last = subject.rsplit(" ", 1)[-1].removeprefix("v")
    return int(last) if last.isascii() and last.isdigit() else 0


def alarm(project_id: int, subject: str) -> str:
    return reverse("mending:alarm", args=[project_id, number_of(subject)])


def rollout(project_id: int, subject: str) -> str:
    return reverse("releases:rollout", args=[project_id, number_of(subject)])


def models(project_id: int, subject: str) -> str:
    return reverse("releases:models", args=[project_id])


def run(project_id: int, subject: str) -> str:
    if subject.startswith("sweep"):
        sweep = Sweep.objects.filter(project_id=project_id, number=number_of(subject)).first()
        return reverse("training:sweep", args=[project_id, sweep.pk]) if sweep else _runs(project_id)
    found = _run_id(project_id, subject)
    return reverse("lineage:run", args=[project_id, found]) if found else _runs(project_id)


def report(project_id: int, subject: str) -> str:
    found = _run_id(project_id, subject)
    return reverse("reports:report", args=[project_id, found]) if found else _runs(project_id)


def sla(project_id: int, subject: str) -> str:
    return reverse("slas:sla", args=[project_id])


def webhook(project_id: int, subject: str) -> str:
    return reverse("webhooks:webhook", args=[project_id, number_of(subject)])


def _runs(project_id: int) -> str:
    return reverse("training:runs", args=[project_id])


def _run_id(project_id: int, subject: str) -> int | None:
    found = Run.objects.filter(project_id=project_id, number=number_of(subject))
    return found.values_list("pk", flat=True).first()
