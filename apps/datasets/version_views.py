"""Pages of dataset versions: the list, how long they stay, and what tells two of them apart."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from apps.datasets import version_selectors as selectors
from apps.datasets.version_forms import DiffFilter, PolicyForm
from apps.datasets.versions.keeping import policy_of, policy_set
from apps.pages.requests import Signed, go
from apps.projects import task_types
from apps.projects.access import project_permission
from apps.projects.models import Project
from apps.projects.roles import Permission

VERSIONS_A_PAGE = 50
CHANGES_A_PAGE = 50


@require_GET
@login_required
@project_permission(Permission.VIEW_DATA)
def versions(request: Signed, project: Project) -> HttpResponse:
    return render(request, "datasets/versions.html", _listed(request, project))


def _listed(request: Signed, project: Project, form: PolicyForm | None = None) -> dict[str, object]:
    policy = policy_of(project)
    page = Paginator(selectors.versions_of(project), VERSIONS_A_PAGE).get_page(request.GET.get("page"))
    initial = {"keep_days": policy.keep_days, "vacuum_hours": policy.vacuum_hours}
    return {
        "project": project,
        "page": page,
        "listed": selectors.listed(list(page)),
        "policy": policy,
        "form": form or PolicyForm(initial=initial),
        "here": "datasets",
    }


@require_POST
@login_required
@project_permission(Permission.EDIT_PROJECT)
def policy(request: Signed, project: Project) -> HttpResponse:
    form = PolicyForm(request.POST)
    if not form.is_valid():
        template = "datasets/_version_policy.html" if request.htmx else "datasets/versions.html"
        return render(request, template, _listed(request, project, form), status=422)
    policy_set(project=project, by=request.user, at=timezone.now(), **form.cleaned_data)
    messages.success(request, gettext("How long versions stay is saved."))
    return go(request, reverse("datasets:versions", args=[project.pk]))


@require_GET
@login_required
@project_permission(Permission.VIEW_DATA)
def version(request: Signed, project: Project, number: int) -> HttpResponse:
    asked = DiffFilter(request.GET)
    diff = selectors.version_diff(project, number, asked.against)
    page = Paginator(diff.of_kind(asked.kind), CHANGES_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "project": project,
        "diff": diff,
        "asked": asked,
        "page": page,
        "task": task_types.get(project.task_type),
        "lines": selectors.changed_lines(project, list(page)),
        "kinds": selectors.KINDS.items(),
        "numbers": [n for n in selectors.numbers_readable(project) if n != number],
        "here": "datasets",
    }
    return render(request, "datasets/version.html", context)


urlpatterns = [
    path("versions/", versions, name="versions"),
    path("versions/policy/", policy, name="version_policy"),
    path("versions/<int:number>/", version, name="version"),
]
