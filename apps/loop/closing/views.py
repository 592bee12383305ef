"""The page that archives and deletes a project, and how far deletions are."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from apps.datasets.erasing import MOST_REASON
from apps.errors import Invalid
from apps.loop.closing.selectors import deletions_shown_to, hanging_on
from apps.loop.closing.services import project_archive, project_delete, project_unarchive
from apps.pages.requests import Signed, refused
from apps.projects.access import project_permission
from apps.projects.models import DeletionState, Project
from apps.projects.roles import Permission
from apps.releases.selectors import champion_of


class DeletionForm(forms.Form):
    """The name once more, so that no click deletes a project, and the reason that is kept."""

    name = forms.CharField(max_length=200)
    reason = forms.CharField(max_length=MOST_REASON)


def _page(request: Signed, project: Project, form: DeletionForm, *, status: int = 200) -> HttpResponse:
    context: dict[str, Any] = {
        "project": project,
        "form": form,
        "champion": champion_of(project),
        "here": "projects:settings",
    }
    if project.archived_at is not None:
        context["hangs"] = hanging_on(project)
    return render(request, "closing/archive.html", context, status=status)


@require_GET
@login_required
@project_permission(Permission.EDIT_PROJECT)
def archive(request: Signed, project: Project) -> HttpResponse:
    return _page(request, project, DeletionForm())


@require_POST
@login_required
@project_permission(Permission.EDIT_PROJECT)
def archive_now(request: Signed, project: Project) -> HttpResponse:
    project_archive(project=project, by=request.user, at=timezone.now())
    messages.success(request, _("“{project}” is in the archive.").format(project=project))
    return redirect("closing:archive", project.pk)


@require_POST
@login_required
@project_permission(Permission.EDIT_PROJECT, changes=False)
def unarchive(request: Signed, project: Project) -> HttpResponse:
    project_unarchive(project=project, by=request.user, at=timezone.now())
    messages.success(request, _("“{project}” is in use again.").format(project=project))
    return redirect("loop:overview", project.pk)


@require_POST
@login_required
@project_permission(Permission.EDIT_PROJECT, changes=False)
def delete(request: Signed, project: Project) -> HttpResponse:
    form = DeletionForm(request.POST)
    try:
        if form.is_valid():
            project_delete(project=project, **form.cleaned_data, by=request.user, at=timezone.now())
            return redirect("portfolio:projects")
    except Invalid as error:
        refused(form, error)
    return _page(request, project, form, status=422)


@require_GET
@login_required
def deletions(request: Signed) -> HttpResponse:
    """The fragment of the page of all projects."""
    found = deletions_shown_to(request.user, timezone.now())
    going = any(each.state == DeletionState.DELETING for each in found)
    return render(request, "closing/_deletions.html", {"deletions": found, "going": going})
