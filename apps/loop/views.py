"""Pages of the loop: the overview and its live parts, and the two steps that touch several stages."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from apps.errors import Invalid
from apps.labeling.desk.selectors import team_progress
from apps.loop import selectors, services
from apps.pages.requests import Signed, go
from apps.projects.access import may_now, project_permission
from apps.projects.models import Project
from apps.projects.roles import Permission
from apps.quality.own import own_day
from apps.training.forms import PriorityForm
from apps.training.models import RunKind, RunPriority

SEES_THE_LOOP = {Permission.VIEW_DATA, Permission.VIEW_RUNS, Permission.VIEW_MONITOR}  # whoever else labels has a home


@require_GET
@login_required
@project_permission(Permission.VIEW_PROJECT)
def overview(request: Signed, project: Project) -> HttpResponse:
    may = may_now(request.user, project)
    if not may & SEES_THE_LOOP:
        return render(request, "loop/home.html", _day(request, project) | {"team": team_progress(project)})
    found = selectors.overview(project, timezone.now(), may)
    parts = {"cards": found.cards, "clock": found.clock, "activity": found.activity, "running": found.running}
    return render(request, "loop/overview.html", {"project": project, "overview": found, **parts})


def _day(request: Signed, project: Project) -> dict[str, Any]:
    return {"project": project, "day": own_day(project, request.user, timezone.now())}


@require_GET
@login_required
@project_permission(Permission.LABEL)
def day(request: Signed, project: Project) -> HttpResponse:
    """What an annotator has done today and what waits for them."""
    return render(request, "loop/_day.html", _day(request, project))


@require_GET
@login_required
@project_permission(Permission.VIEW_PROJECT)
def band(request: Signed, project: Project) -> HttpResponse:
    cards = selectors.cards(project, timezone.now(), may_now(request.user, project))
    return render(request, "loop/_band.html", {"project": project, "cards": cards})


@require_GET
@login_required
@project_permission(Permission.VIEW_SLA)
def clock(request: Signed, project: Project) -> HttpResponse:
    return render(
        request, "loop/_clock.html", {"project": project, "clock": selectors.clock_now(project, timezone.now())}
    )


@require_GET
@login_required
@project_permission(Permission.VIEW_AUDIT)
def activity(request: Signed, project: Project) -> HttpResponse:
    return render(request, "loop/_activity.html", {"project": project, "activity": selectors.activity(project)})


@require_GET
@login_required
@project_permission(Permission.VIEW_PROJECT)
def running(request: Signed, project: Project) -> HttpResponse:
    found = selectors.running(project, timezone.now(), may_now(request.user, project))
    return render(request, "loop/_running.html", {"project": project, "running": found})


@require_POST
@login_required
@project_permission(Permission.START_RUN)
def run_start(request: Signed, project: Project) -> HttpResponse:
    kind = request.POST.get("kind", RunKind.INCREMENTAL)
    form = PriorityForm({"priority": request.POST.get("priority") or RunPriority.NORMAL})
    if not form.is_valid():
        raise Invalid(gettext("That priority is not known."), field="priority")
    run = services.run_start_now(
        project=project, kind=kind, by=request.user, at=timezone.now(), priority=form.cleaned_data["priority"]
    )
    messages.success(request, gettext("Run {number} is queued.").format(number=run.number))
    return go(request, reverse("lineage:run", args=[project.pk, run.pk]))


@require_POST
@login_required
@project_permission(Permission.RESOLVE_ALERT)
def drift_check(request: Signed, project: Project) -> HttpResponse:
    check = services.drift_check_now(project=project, at=timezone.now())
    told = {"drift": messages.warning, "too-few": messages.info}.get(check.outcome, messages.success)
    told(request, check.sentence)
    return go(request, reverse("monitoring:monitor", args=[project.pk]))
