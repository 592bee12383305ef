"""Pages of what trains by the clock: times, next runs, runs at once; and the turn of a queued run."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from apps.errors import Invalid
from apps.pages.requests import Signed, go
from apps.projects import task_types
from apps.projects.access import project_permission
from apps.projects.models import Project
from apps.projects.roles import Permission
from apps.training import selectors
from apps.training.forms import PlacesForm, PriorityForm, ScheduleForm
from apps.training.schedule_selectors import scheduled
from apps.training.services.policies import policy_of, policy_set
from apps.training.services.schedules import Times, schedule_set
from apps.training.services.turns import run_prioritize


@require_GET
@login_required
@project_permission(Permission.VIEW_RUNS)
def schedules(request: Signed, project: Project) -> HttpResponse:
    return render(request, "training/schedules.html", _shown(project, timezone.now()))


def _shown(project: Project, at: datetime, **wrong: Any) -> dict[str, Any]:
    """`wrong` are the forms that could not be saved, by the kind of their schedule or `places`."""
    found = scheduled(project, at)
    forms = {
        s.kind: wrong.get(s.kind.replace("-", "_"))
        or ScheduleForm(
            initial={
                "enabled": s.times.enabled,
                "days": s.times.days,
                "time": s.times.at,
                "zone": s.times.zone,
                "kind": s.kind,
            },
            auto_id=f"{s.kind}-%s",
        )
        for s in found
    }
    policy = policy_of(project)
    return {
        "project": project,
        "learns": task_types.get(project.task_type).learns,
        "policy": policy,
        "here": "training",
        "schedules": [(s, forms[s.kind]) for s in found],
        "places": wrong.get("places") or PlacesForm(initial={"runs_at_once": policy.runs_at_once}),
    }


@require_POST
@login_required
@project_permission(Permission.START_RUN)
def schedule(request: Signed, project: Project) -> HttpResponse:
    kind = request.POST.get("kind", "")
    form = ScheduleForm(request.POST, auto_id=f"{kind}-%s")
    if form.is_valid():
        given = form.cleaned_data
        times = Times(given["days"], given["time"], given["zone"], enabled=given["enabled"])
        try:
            schedule_set(project=project, kind=kind, times=times, by=request.user, at=timezone.now())
        except Invalid as refused:
            if refused.details.get("field") not in ("days", "zone"):
                raise
            form.add_error(refused.details["field"], refused.message)
    if form.errors:
        wrong = {kind.replace("-", "_"): form}
        return render(request, "training/schedules.html", _shown(project, timezone.now(), **wrong), status=422)
    messages.success(request, gettext("The schedule is saved."))
    return go(request, reverse("training:schedules", args=[project.pk]))


@require_POST
@login_required
@project_permission(Permission.START_RUN)
def places(request: Signed, project: Project) -> HttpResponse:
    form = PlacesForm(request.POST)
    if not form.is_valid():
        return render(request, "training/schedules.html", _shown(project, timezone.now(), places=form), status=422)
    now = policy_of(project)
    policy_set(
        project=project,
        runs_at_once=form.cleaned_data["runs_at_once"],
        full_after_increments=now.full_after_increments,
        full_on_gap=now.full_on_gap,
        full_on_schema_change=now.full_on_schema_change,
        by=request.user,
        at=timezone.now(),
    )
    messages.success(request, gettext("The number of runs at once is saved."))
    return go(request, reverse("training:schedules", args=[project.pk]))


@require_POST
@login_required
@project_permission(Permission.START_RUN)
def priority(request: Signed, project: Project, run_id: int) -> HttpResponse:
    run = selectors.run_in(project, run_id)
    form = PriorityForm(request.POST)
    if not form.is_valid():
        raise Invalid(gettext("That priority is not known."), field="priority")
    run = run_prioritize(run=run, priority=form.cleaned_data["priority"], by=request.user, at=timezone.now())
    messages.success(
        request,
        gettext("Run {number} has {priority} priority now.").format(
            number=run.number, priority=run.get_priority_display().lower()
        ),
    )
    return go(request, reverse("lineage:run", args=[project.pk, run.pk]))


urlpatterns = [
    path("schedules/", schedules, name="schedules"),
    path("schedules/save/", schedule, name="schedule"),
    path("schedules/places/", places, name="places"),
    path("<int:run_id>/priority/", priority, name="priority"),
]
