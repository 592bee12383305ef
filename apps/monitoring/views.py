"""Pages of monitoring: traffic, drift, alerts. Looking for drift needs the champion, so that step is in apps.loop."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from apps.audit.marks import marked, marks_of
from apps.errors import Invalid
from apps.monitoring import charts, selectors, services
from apps.monitoring.filters import filter_asked
from apps.monitoring.forms import ResolveForm
from apps.monitoring.log.sample import slices_offered
from apps.pages.figures import figures_answer
from apps.pages.periods import Period, period_asked
from apps.pages.requests import Signed, go
from apps.projects.access import project_permission
from apps.projects.models import Project
from apps.projects.roles import Permission
from apps.projects.selectors import schema_of


@require_GET
@login_required
@project_permission(Permission.VIEW_MONITOR)
def monitor(request: Signed, project: Project) -> HttpResponse:
    context = _shown(request, project, keep=True)
    choices = selectors.choices_of(project, context["period"], context["filters"])
    return render(request, "monitoring/monitor.html", {**context, "choices": choices})


@require_GET
@login_required
@project_permission(Permission.VIEW_MONITOR)
def numbers(request: Signed, project: Project) -> HttpResponse:
    return render(request, "monitoring/_numbers.html", _shown(request, project))


@require_GET
@login_required
@project_permission(Permission.VIEW_MONITOR)
def drift(request: Signed, project: Project) -> HttpResponse:
    return render(request, "monitoring/_drift.html", _shown(request, project))


@require_GET
@login_required
@project_permission(Permission.VIEW_MONITOR)
def alerts(request: Signed, project: Project) -> HttpResponse:
    return render(request, "monitoring/_alerts.html", _shown(request, project))


def _shown(request: Signed, project: Project, *, keep: bool = False) -> dict[str, Any]:
    period, filters = _period(request, project, keep=keep), filter_asked(request.GET)
    found = selectors.monitor_of(project, period, filters)
    return {"project": project, "monitor": found, "traffic": found.traffic, "period": period, "filters": filters}


def _period(request: Signed, project: Project, *, keep: bool = False) -> Period:
    at = timezone.now()
    return period_asked(request, at, lambda: selectors.period_that_fits(project, at), keep=keep)


@require_GET
@login_required
@project_permission(Permission.VIEW_MONITOR)
def slices(request: Signed, project: Project) -> HttpResponse:
    """What the filter suggests, once somebody is about to choose one: no page reads the log for it."""
    found = slices_offered(project, _period(request, project))
    return render(request, "monitoring/_slices.html", {"slices": found})


@require_GET
@login_required
@project_permission(Permission.VIEW_MONITOR)
def figures(request: Signed, project: Project) -> HttpResponse:
    period = _period(request, project)
    colors = {label.name: label.color for label in schema_of(project).labels}
    drawn = charts.traffic(selectors.traffic_shown(project, period, filter_asked(request.GET)), colors)
    marks = marks_of(project.pk, period.since, period.until)
    return figures_answer(request, {name: marked(figure, marks) for name, figure in drawn.items()})


@require_POST
@login_required
@project_permission(Permission.RESOLVE_ALERT)
def resolve(request: Signed, project: Project, alert_id: int) -> HttpResponse:
    form = ResolveForm(request.POST)
    if not form.is_valid():
        raise Invalid(
            gettext(
                "Say in a note of at most 400 characters what it was; the next person to see such an alarm reads it."
            ),
            field="note",
        )
    services.alert_resolve(project=project, alert_id=alert_id, by=request.user, at=timezone.now(), **form.cleaned_data)
    messages.success(request, gettext("The alarm is resolved; your note stays with it."))
    return go(request, reverse("monitoring:monitor", args=[project.pk]))
