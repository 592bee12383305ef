"""The page that makes a project."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods

from apps.accounts.models import User
from apps.datasets.services import MAX_API_BATCH
from apps.errors import Forbidden, Invalid
from apps.loop.setup.first_calls import first_calls
from apps.loop.setup.forms import NewProjectForm
from apps.loop.setup.services import project_open
from apps.pages.requests import Signed, refused
from apps.projects import task_types
from apps.projects.access import may_create_projects, projects_visible_to
from apps.projects.models import Project


@require_http_methods(["GET", "POST"])
@login_required
def project_new(request: Signed) -> HttpResponse:
    if not may_create_projects(request.user):
        raise Forbidden(gettext("Your account may not create projects. Whoever runs this console can allow it."))
    form = NewProjectForm(request.POST or None, initial={"task_type": "text-classification"})
    if request.method == "POST" and form.is_valid() and (project := _created(form, request.user)):
        messages.success(
            request, gettext("“{project}” is there. Add examples to start the loop.").format(project=project)
        )
        return redirect("loop:overview", project.pk)
    kinds = list(task_types.TASK_TYPES.values())
    status = 422 if request.method == "POST" else 200
    return render(request, "projects/new.html", {"form": form, "kinds": kinds}, status=status)


def _created(form: NewProjectForm, by: User) -> Project | None:
    given = form.cleaned_data
    try:
        return project_open(
            name=given["name"],
            task_type=given["task_type"],
            labels=given["labels"],
            guidelines=given["guidelines"],
            holdout_share=given["holdout_percent"] / 100,
            overlap=given["overlap"],
            by=by,
            at=timezone.now(),
        )
    except Invalid as error:
        refused(form, error)
        return None


@require_GET
@login_required
def api_start(request: Signed) -> HttpResponse:
    """The API in five minutes: calls to copy, for a project of the person's choice."""
    projects = list(projects_visible_to(request.user).order_by("name"))
    asked = request.GET.get("project", "")
    chosen = next((p for p in projects if str(p.pk) == asked), projects[0] if projects else None)
    base = request.build_absolute_uri("/api/v1")
    calls = first_calls(chosen) if chosen else None
    context = {"projects": projects, "chosen": chosen, "calls": calls, "base": base, "batch_most": MAX_API_BATCH}
    return render(request, "projects/api_start.html", context)
