"""Service levels: the target, the laps against it, and where their time went."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from apps.audit.marks import marked, marks_of
from apps.pages.figures import figures_answer
from apps.pages.periods import period_asked
from apps.pages.requests import Signed, go
from apps.projects.access import project_permission
from apps.projects.models import Project
from apps.projects.roles import Permission
from apps.rules.spreadsheets import csv_line
from apps.slas import charts, selectors, services
from apps.slas.forms import TargetForm


@require_GET
@login_required
@project_permission(Permission.VIEW_SLA)
def sla(request: Signed, project: Project) -> HttpResponse:
    return render(request, "slas/sla.html", _shown(request, project, keep=True))


@require_GET
@login_required
@project_permission(Permission.VIEW_SLA)
def levels(request: Signed, project: Project) -> HttpResponse:
    return render(request, "slas/_levels.html", _shown(request, project))


@require_GET
@login_required
@project_permission(Permission.VIEW_SLA)
def breaches(request: Signed, project: Project) -> HttpResponse:
    return render(request, "slas/_breaches.html", _shown(request, project))


def _shown(
    request: Signed, project: Project, form: TargetForm | None = None, *, keep: bool = False
) -> dict[str, object]:
    found = _levels(request, project, keep=keep)
    form = form or TargetForm(initial={"hours": f"{found.target_hours:g}"})
    return {"project": project, "levels": found, "period": found.period, "form": form}


def _levels(request: Signed, project: Project, *, keep: bool = False) -> selectors.Levels:
    at, first = timezone.now(), selectors.first_lap_at(project)
    period = period_asked(request, at, lambda: selectors.period_that_fits(first, at), keep=keep)
    return selectors.levels_of(project, period, first)


@require_GET
@login_required
@project_permission(Permission.VIEW_SLA)
def figures(request: Signed, project: Project) -> HttpResponse:
    found = _levels(request, project)
    drawn = charts.figures(found)
    if found.laps:
        marked(drawn["laps"], marks_of(project.pk, found.period.since, found.period.until))
    return figures_answer(request, drawn)


@require_GET
@login_required
@project_permission(Permission.VIEW_SLA)
def export(request: Signed, project: Project) -> HttpResponse:
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{project.slug}-laps.csv"'
    answer.writelines(map(csv_line, selectors.csv_rows(_levels(request, project))))
    return answer


@require_POST
@login_required
@project_permission(Permission.EDIT_TARGET)
def target(request: Signed, project: Project) -> HttpResponse:
    form = TargetForm(request.POST)
    if not form.is_valid():
        template = "slas/_target.html" if request.htmx else "slas/sla.html"
        return render(request, template, _shown(request, project, form), status=422)
    services.target_set(project=project, hours=form.cleaned_data["hours"], by=request.user, at=timezone.now())
    messages.success(request, gettext("The target is saved. Laps already closed keep theirs."))
    return go(request, reverse("slas:sla", args=[project.pk]))
