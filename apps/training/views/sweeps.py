"""Pages of sweeps."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from apps.errors import Invalid
from apps.pages.figures import figures_answer
from apps.pages.requests import Signed, go
from apps.projects import task_types
from apps.projects.access import project_permission
from apps.projects.models import Project
from apps.projects.roles import Permission
from apps.training import sweep_charts, sweep_selectors
from apps.training.services.sweeps import sweep_cancel, sweep_start
from apps.training.sweep_forms import SweepForm

PAGE = 25


@require_GET
@login_required
@project_permission(Permission.VIEW_RUNS)
def sweeps(request: Signed, project: Project) -> HttpResponse:
    template = "training/_sweeps.html" if request.htmx else "training/sweeps.html"
    return render(request, template, _listed(request, project))


def _listed(request: Signed, project: Project, form: SweepForm | None = None) -> dict[str, object]:
    page = Paginator(sweep_selectors.sweeps_of(project), PAGE).get_page(request.GET.get("page"))
    return {
        "project": project,
        "page": page,
        "form": form or SweepForm(),
        "here": "training",
        "learns": task_types.get(project.task_type).learns,
    }


@require_POST
@login_required
@project_permission(Permission.START_RUN)
def start(request: Signed, project: Project) -> HttpResponse:
    form = SweepForm(request.POST)
    if form.is_valid():
        try:
            sweep = sweep_start(
                project=project,
                space=form.space(),
                trials=form.cleaned_data["trials"],
                seed=form.cleaned_data["seed"],
                by=request.user,
                at=timezone.now(),
            )
            messages.success(request, gettext("Sweep {number} is started.").format(number=sweep.number))
            return go(request, reverse("training:sweep", args=[project.pk, sweep.pk]))
        except Invalid as refused:
            named = f"{refused.details.get('field')}_low"
            form.add_error(named if named in form.fields else None, refused.message)
    return render(request, "training/sweeps.html", _listed(request, project, form), status=422)


@require_GET
@login_required
@project_permission(Permission.VIEW_RUNS)
def sweep(request: Signed, project: Project, sweep_id: int) -> HttpResponse:
    template = "training/_sweep.html" if request.htmx else "training/sweep.html"
    found = sweep_selectors.sweep_shown(sweep_selectors.sweep_in(project, sweep_id))
    return render(request, template, {"project": project, "sweep": found.sweep, "shown": found, "here": "training"})


@require_POST
@login_required
@project_permission(Permission.START_RUN, changes=False)  # what runs may be stopped in the archive too
def cancel(request: Signed, project: Project, sweep_id: int) -> HttpResponse:
    ended = sweep_cancel(sweep=sweep_selectors.sweep_in(project, sweep_id), by=request.user, at=timezone.now())
    messages.success(request, gettext("Sweep {number} is canceled.").format(number=ended.number))
    return go(request, reverse("training:sweep", args=[project.pk, ended.pk]))


@require_GET
@login_required
@project_permission(Permission.VIEW_RUNS)
def figures(request: Signed, project: Project, sweep_id: int) -> HttpResponse:
    found = sweep_selectors.sweep_shown(sweep_selectors.sweep_in(project, sweep_id))
    return figures_answer(request, sweep_charts.figures(found))


urlpatterns = [
    path("sweeps/", sweeps, name="sweeps"),
    path("sweeps/start/", start, name="sweep_start"),
    path("sweeps/<int:sweep_id>/", sweep, name="sweep"),
    path("sweeps/<int:sweep_id>/cancel/", cancel, name="sweep_cancel"),
    path("sweeps/<int:sweep_id>/figures/", figures, name="sweep_figures"),
]
