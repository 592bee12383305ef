"""The page that trains a run again with changes, and what of it differs while the form is filled in."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods

from apps.datasets.version_selectors import versions_kept
from apps.errors import Invalid
from apps.pages.requests import Signed, go, refused
from apps.projects.access import project_permission
from apps.projects.models import Project
from apps.projects.roles import Permission
from apps.releases.selectors import champion_of
from apps.training.clone_forms import CloneForm, initial_of
from apps.training.models import Run
from apps.training.selectors import bases_for, kinds_of, run_in
from apps.training.services.clones import copy_of, differences, run_clone


def _form(project: Project, run: Run, given: Any = None) -> CloneForm:
    copy = copy_of(run)
    initial = initial_of(copy)
    champion = champion_of(project)
    if not initial["base_run"] and champion:
        initial["base_run"] = champion.run.pk
    versions = versions_kept(project, also=run.dataset_version)
    bases = bases_for(project, also=run.base_run)
    return CloneForm(given, initial=initial, kinds=kinds_of(project), bases=bases, versions=versions)


@require_http_methods(["GET", "POST"])
@login_required
@project_permission(Permission.START_RUN)
def again(request: Signed, project: Project, run_id: int) -> HttpResponse:
    run = run_in(project, run_id)
    form = _form(project, run, request.POST or None)
    try:
        if form.is_bound and form.is_valid():
            priority = int(form.cleaned_data["priority"])
            made = run_clone(run=run, copy=form.copy(), by=request.user, at=timezone.now(), priority=priority)
            messages.success(request, gettext("Run {number} is queued.").format(number=made.number))
            return go(request, reverse("lineage:run", args=[project.pk, made.pk]))
    except Invalid as error:
        refused(form, error)
    context = {"project": project, "run": run, "form": form, "here": "training", "differs": _differs(run, form)}
    return render(request, "lineage/again.html", context, status=422 if form.is_bound else 200)


@require_GET
@login_required
@project_permission(Permission.START_RUN)
def differs(request: Signed, project: Project, run_id: int) -> HttpResponse:
    run = run_in(project, run_id)
    context = {"project": project, "run": run, "differs": _differs(run, _form(project, run, request.GET))}
    return render(request, "lineage/_differs.html", context)


def _differs(run: Run, form: CloneForm) -> list[Any] | None:
    """None while the form cannot be read."""
    if form.is_bound:
        return differences(run, form.copy()) if form.is_valid() else None
    return []


urlpatterns = [
    path("runs/<int:run_id>/again/", again, name="run_again"),
    path("runs/<int:run_id>/again/differs/", differs, name="run_again_differs"),
]
