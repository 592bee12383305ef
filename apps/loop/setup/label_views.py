"""Pages that change one label, and the project's name."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from apps.errors import Invalid, NotFound
from apps.labeling.services.renaming import label_edit
from apps.loop.setup.label_forms import LabelForm, RenameForm
from apps.pages.requests import Signed, refused
from apps.projects import task_types
from apps.projects.access import project_permission
from apps.projects.models import Project
from apps.projects.roles import Permission
from apps.projects.schema import project_rename
from apps.projects.selectors import schema_of


@require_http_methods(["GET", "POST"])
@login_required
@project_permission(Permission.EDIT_PROJECT)
def label(request: Signed, project: Project, label_id: int) -> HttpResponse:
    shown = schema_of(project).shown
    place, found = next(((n, x) for n, x in enumerate(shown, 1) if x.pk == label_id), (0, None))
    if found is None:
        raise NotFound(_("There is no such label in this project."))
    form = LabelForm(request.POST) if request.method == "POST" else LabelForm.of(found, place)
    try:
        if form.is_bound and form.is_valid():
            changed = label_edit(
                project=project, label_id=label_id, change=form.change(), by=request.user, at=timezone.now()
            )
            messages.success(request, _("“{name}” is saved.").format(name=changed.name))
            return redirect("projects:settings", project.pk)
    except Invalid as error:
        refused(form, error)
    context = {
        "project": project,
        "label": found,
        "form": form,
        "fixed": found.name in task_types.get(project.task_type).labels,
        "of": len(shown),
        "here": "projects:settings",
    }
    return render(request, "projects/label.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "POST"])
@login_required
@project_permission(Permission.EDIT_PROJECT)
def rename(request: Signed, project: Project) -> HttpResponse:
    form = RenameForm(request.POST or None, initial={"name": project.name})
    try:
        if form.is_bound and form.is_valid():
            project_rename(project=project, name=form.cleaned_data["name"], by=request.user, at=timezone.now())
            messages.success(request, _("The project has its new name."))
            return redirect("projects:settings", project.pk)
    except Invalid as error:
        refused(form, error)
    context = {"project": project, "form": form, "here": "projects:settings"}
    return render(request, "projects/rename.html", context, status=422 if form.is_bound else 200)
