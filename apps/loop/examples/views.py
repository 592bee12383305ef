"""The page of one example, and what may be done with it there."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from apps.errors import Forbidden, Invalid
from apps.labeling.services.bulk import example_flag
from apps.labeling.services.corrections import correction_take, example_ask_again, example_correct
from apps.loop.examples.forms import CorrectionForm
from apps.loop.examples.selectors import example_story
from apps.loop.examples.services import example_delete
from apps.pages.requests import Signed, go, refused
from apps.projects import task_types
from apps.projects.access import permissions_of, project_permission
from apps.projects.models import Project
from apps.projects.roles import Permission


def _page(
    request: Signed, project: Project, example_id: int, form: CorrectionForm | None = None, *, status: int = 200
) -> HttpResponse:
    task = task_types.get(project.task_type)
    context = {
        "project": project,
        "task": task,
        "story": example_story(project, example_id, by=request.user, at=timezone.now()),
        "form": form or CorrectionForm(project=project, task=task),
        "here": "datasets",
    }
    return render(request, "examples/example.html", context, status=status)


@require_GET
@login_required
@project_permission(Permission.VIEW_PROJECT)
def page(request: Signed, project: Project, example_id: int) -> HttpResponse:
    if not permissions_of(request.user, project.pk) & {Permission.LABEL, Permission.VIEW_DATA}:
        raise Forbidden(_("To see an example you need a role that labels or sees the data."), project_id=project.pk)
    return _page(request, project, example_id)


def _back(request: Signed, project: Project, example_id: int) -> HttpResponse:
    return go(request, reverse("examples:page", args=[project.pk, example_id]))


@require_POST
@login_required
@project_permission(Permission.REVIEW)
def correct(request: Signed, project: Project, example_id: int) -> HttpResponse:
    task = task_types.get(project.task_type)
    form = CorrectionForm(request.POST, project=project, task=task)
    try:
        if form.is_valid():
            example_correct(
                project=project, example_id=example_id, answer=form.answer, by=request.user, at=timezone.now()
            )
            messages.success(request, _("Corrected. The label is what you said; the earlier answers stay on record."))
            return _back(request, project, example_id)
    except Invalid as error:
        refused(form, error)
    return _page(request, project, example_id, form, status=422)


@require_POST
@login_required
@project_permission(Permission.REVIEW)
def take(request: Signed, project: Project, example_id: int) -> HttpResponse:
    """For answers that are drawn: the desk shows it next."""
    correction_take(project=project, example_id=example_id, by=request.user, at=timezone.now())
    return redirect(f"{reverse('labeling:desk', args=[project.pk])}?lane=review")


@require_POST
@login_required
@project_permission(Permission.REVIEW)
def again(request: Signed, project: Project, example_id: int) -> HttpResponse:
    example_ask_again(project=project, example_id=example_id, by=request.user, at=timezone.now())
    messages.success(request, _("Somebody who has not answered it is asked next."))
    return _back(request, project, example_id)


@require_POST
@login_required
@project_permission(Permission.LABEL)
def flag(request: Signed, project: Project, example_id: int) -> HttpResponse:
    example_flag(project=project, example_id=example_id, by=request.user, at=timezone.now())
    messages.success(request, _("A reviewer will look at it."))
    return _back(request, project, example_id)


@require_POST
@login_required
@project_permission(Permission.EDIT_PROJECT)
def delete(request: Signed, project: Project, example_id: int) -> HttpResponse:
    example_delete(
        project=project,
        example_id=example_id,
        reason=request.POST.get("reason", ""),
        by=request.user,
        at=timezone.now(),
    )
    messages.success(
        request, _("Deleted. Its number stays where versions and reports name it; its vectors go within moments.")
    )
    return go(request, reverse("datasets:data", args=[project.pk]))
