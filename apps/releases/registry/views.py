"""What pages send of the registry: aliases, a second person's decision, the rules of both. They stand on Models and the policy."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from apps.errors import Invalid
from apps.pages.requests import Signed, go, refused
from apps.projects.access import project_permission
from apps.projects.models import Project
from apps.projects.roles import Permission
from apps.releases.registry import aliases
from apps.releases.registry.approving import request_approve, request_decline
from apps.releases.registry.forms import AliasForm, AnswerForm, ReleaseRulesForm
from apps.releases.registry.requests import request_in
from apps.releases.registry.rules import release_rules_set
from apps.releases.rollouts.views import PAGE


@require_POST
@login_required
@project_permission(Permission.VIEW_RUNS)  # which roles may set it is the alias's own rule
def alias_set(request: Signed, project: Project) -> HttpResponse:
    form = AliasForm(request.POST)
    if not form.is_valid():
        raise Invalid(gettext("Say an alias and the number of a version."), field="name")
    version = aliases.version_numbered(project, form.cleaned_data["version"])
    alias = aliases.alias_set(
        project=project, name=form.cleaned_data["name"], version=version, by=request.user, at=timezone.now()
    )
    messages.success(request, gettext("“{name}” points at v{number}.").format(name=alias.name, number=version.number))
    return _models(request, project, "#aliases")


@require_POST
@login_required
@project_permission(Permission.VIEW_RUNS)
def alias_remove(request: Signed, project: Project) -> HttpResponse:
    name = request.POST.get("name", "")
    aliases.alias_remove(project=project, name=name, by=request.user, at=timezone.now())
    messages.success(request, gettext("“{name}” is removed.").format(name=name))
    return _models(request, project, "#aliases")


@require_POST
@login_required
@project_permission(Permission.APPROVE_RELEASE)
def approve(request: Signed, project: Project, request_id: int) -> HttpResponse:
    waiting, now = request_in(project, request_id), timezone.now()
    rollout = request_approve(request=waiting, answer=_answer(request), by=request.user, at=now)
    number = rollout.version.number
    if rollout.is_open:
        messages.success(request, gettext("v{number} is on its way to users.").format(number=number))
        return go(request, reverse("releases:rollout", args=[project.pk, rollout.pk]))
    messages.success(request, gettext("v{number} is champion. The predictor loads it.").format(number=number))
    return _models(request, project)


@require_POST
@login_required
@project_permission(Permission.APPROVE_RELEASE)
def decline(request: Signed, project: Project, request_id: int) -> HttpResponse:
    waiting = request_in(project, request_id)
    request_decline(request=waiting, answer=_answer(request), by=request.user, at=timezone.now())
    messages.success(request, gettext("v{number} is not released.").format(number=waiting.version.number))
    return _models(request, project)


@require_POST
@login_required
@project_permission(Permission.EDIT_PROJECT)
def rules_set(request: Signed, project: Project) -> HttpResponse:
    form = ReleaseRulesForm(request.POST)
    if form.is_valid():
        try:
            release_rules_set(project=project, by=request.user, at=timezone.now(), **form.cleaned_data)
        except Invalid as error:
            refused(form, error)
        else:
            messages.success(request, gettext("The rules of releases are set."))
            return go(request, reverse("releases:policy", args=[project.pk]))
    return PAGE.show(request, project, rules_form=form, status=422)


def _answer(request: Signed) -> str:
    form = AnswerForm(request.POST)
    if not form.is_valid():
        raise Invalid(gettext("The reason is longer than 400 characters. Say it shorter."), field="reason")
    return str(form.cleaned_data["reason"])


def _models(request: Signed, project: Project, place: str = "") -> HttpResponse:
    return go(request, reverse("releases:models", args=[project.pk]) + place)
