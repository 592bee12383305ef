"""Pages of projects: the list, and one project's labels, guidelines, members and audit trail."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.audit.selectors import events_of, head_of, verbs_of
from apps.audit.services import chain_intact, project_scope
from apps.errors import Invalid
from apps.pages.asked import text_asked
from apps.pages.requests import Signed, refused
from apps.projects import membership, selectors, services, task_types
from apps.projects.access import project_permission
from apps.projects.forms import GuidelinesForm, LabelsForm, MemberForm
from apps.projects.models import Project
from apps.projects.roles import Permission, Role
from apps.rules.words import count

EVENTS_A_PAGE = 50


def home(request: HttpRequest) -> HttpResponse:
    """The bare address, and where signing in leads: to the one project of whoever has one, else to the list."""
    only = selectors.only_project_of(request.user) if request.user.is_authenticated else None
    return redirect("loop:overview", only) if only else redirect("portfolio:projects")


def _settings_page(request: Signed, project: Project, *, status: int = 200, **forms: Form) -> HttpResponse:
    versions = selectors.guideline_versions_of(project)
    newest = versions[0] if versions else None
    asked = request.GET.get("version", "")
    context: dict[str, Any] = {
        "project": project,
        "task": task_types.get(project.task_type),
        "labels": selectors.schema_of(project).shown,
        "versions": versions,
        "newest": newest,
        "shown": next((v for v in versions if str(v.number) == asked), newest),
        "labels_form": LabelsForm(),
        "guidelines_form": GuidelinesForm(initial={"text": newest.text if newest else ""}),
    }
    return render(request, "projects/settings.html", context | forms, status=status)


@require_GET
@login_required
@project_permission(Permission.VIEW_PROJECT)
def project_settings(request: Signed, project: Project) -> HttpResponse:
    return _settings_page(request, project)


@require_POST
@login_required
@project_permission(Permission.EDIT_PROJECT)
def labels_add(request: Signed, project: Project) -> HttpResponse:
    form = LabelsForm(request.POST)
    try:
        if form.is_valid():
            made = services.schema_extend(
                project=project, labels=form.cleaned_data["labels"], by=request.user, at=timezone.now()
            )
            messages.success(
                request, gettext("{made} added. The next run knows them.").format(made=count(len(made), "label"))
            )
            return redirect("projects:settings", project.pk)
    except Invalid as error:
        refused(form, error)
    return _settings_page(request, project, labels_form=form, status=422)


@require_POST
@login_required
@project_permission(Permission.EDIT_PROJECT)
def label_retire(request: Signed, project: Project) -> HttpResponse:
    """Retire a label, or offer it again: the button says which."""
    name, again = request.POST.get("name", ""), "restore" in request.POST
    change = services.label_restore if again else services.label_retire
    label = change(project=project, name=name, by=request.user, at=timezone.now())
    words = _("“{name}” is offered again.") if again else _("“{name}” is retired. What was answered with it stays.")
    messages.success(request, words.format(name=label.name))
    return redirect("projects:settings", project.pk)


@require_POST
@login_required
@project_permission(Permission.EDIT_PROJECT)
def guidelines_write(request: Signed, project: Project) -> HttpResponse:
    form = GuidelinesForm(request.POST)
    if not form.is_valid():
        return _settings_page(request, project, guidelines_form=form, status=422)
    version = services.guidelines_write(
        project=project, text=form.cleaned_data["text"], by=request.user, at=timezone.now()
    )
    messages.success(
        request,
        gettext("Version {number} of the guidelines holds from the next example on.").format(number=version.number),
    )
    return redirect("projects:settings", project.pk)


@require_POST
@login_required
@project_permission(Permission.EDIT_PROJECT)
def guidelines_preview(request: Signed, project: Project) -> HttpResponse:
    return render(request, "projects/_preview.html", {"text": request.POST.get("text", "")})


def _members_page(request: Signed, project: Project, form: MemberForm, *, status: int = 200) -> HttpResponse:
    context = {
        "project": project,
        "members": selectors.members_of(project),
        "form": form,
        "roles": Role.choices,
        "keepers": selectors.keepers(),
    }
    return render(request, "projects/members.html", context, status=status)


@require_http_methods(["GET", "POST"])
@login_required
@project_permission(Permission.MANAGE_MEMBERS)
def members(request: Signed, project: Project) -> HttpResponse:
    if request.method == "GET":
        return _members_page(request, project, MemberForm())
    form = MemberForm(request.POST)
    try:
        if form.is_valid():
            given = membership.member_set(project=project, by=request.user, at=timezone.now(), **form.cleaned_data)
            messages.success(
                request,
                gettext("{user} is {role_display} now.").format(
                    user=given.user, role_display=given.get_role_display().lower()
                ),
            )
            return redirect("projects:members", project.pk)
    except Invalid as error:
        refused(form, error)
    return _members_page(request, project, form, status=422)


@require_POST
@login_required
@project_permission(Permission.MANAGE_MEMBERS)
def member_remove(request: Signed, project: Project, user_id: int) -> HttpResponse:
    membership.member_remove(project=project, user_id=user_id, by=request.user, at=timezone.now())
    messages.success(request, gettext("Removed. Their answers stay."))
    left = user_id == request.user.pk
    return redirect("portfolio:projects") if left else redirect("projects:members", project.pk)


@require_GET
@login_required
@project_permission(Permission.VIEW_AUDIT)
def audit(request: Signed, project: Project) -> HttpResponse:
    scope, verb, text = project_scope(project.pk), text_asked(request.GET, "verb"), text_asked(request.GET, "text")
    page = Paginator(events_of(scope, verb=verb, text=text), EVENTS_A_PAGE).get_page(request.GET.get("page"))
    context: dict[str, Any] = {"project": project, "page": page, "verbs": verbs_of(scope), "verb": verb, "text": text}
    if "check" in request.GET:
        context |= {"intact": chain_intact(scope), "head": head_of(scope)}
    return render(request, "projects/audit.html", context)


@require_GET
@login_required
@project_permission(Permission.VIEW_AUDIT)
def audit_chain(request: Signed, project: Project) -> HttpResponse:
    scope = project_scope(project.pk)
    return render(
        request, "projects/_chain.html", {"project": project, "intact": chain_intact(scope), "head": head_of(scope)}
    )
