"""Pages of releases: the models, one of them and its file, promote, roll back, ask the champion."""

import json
import shlex
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from apps.errors import Invalid
from apps.pages.requests import Signed, go
from apps.projects import task_types
from apps.projects.access import project_permission
from apps.projects.models import Project
from apps.projects.policies.selectors import policy_in_force
from apps.projects.roles import Permission
from apps.releases import inference, selectors, services
from apps.releases.archives import KINDS, ModelFileGone, signature_read
from apps.releases.downloads import model_download
from apps.releases.forms import PromoteForm, RollBackForm
from apps.releases.models import ReleaseRequest
from apps.releases.registry.approving import release_ask
from apps.releases.registry.page import registry_page
from apps.releases.rollouts.policies import RELEASE_POLICY
from apps.releases.rollouts.presenters import steps_in_words
from apps.releases.rollouts.selectors import open_rollout


@require_GET
@login_required
@project_permission(Permission.VIEW_RUNS)
def models(request: Signed, project: Project) -> HttpResponse:
    template, now = "releases/_board.html" if request.htmx else "releases/models.html", timezone.now()
    context = {
        "project": project,
        "board": (board := selectors.board_of(project, now)),
        **registry_page(project, board.own, user=request.user, at=now),
        "task": task_types.get(project.task_type),
        "features": selectors.features_like(project),
        "under_way": open_rollout(project),
        "steps": steps_in_words(policy_in_force(RELEASE_POLICY, project)),
    }
    return render(request, template, context)


@require_GET
@login_required
@project_permission(Permission.VIEW_RUNS)
def model(request: Signed, project: Project, version_id: int) -> HttpResponse:
    """One version: what it reads and answers, a request to copy, its file."""
    version = selectors.version_in(project, version_id)
    context: dict[str, Any] = {
        "project": project,
        "version": version,
        "board": selectors.board_of(project, timezone.now()),
    }
    context["task"] = task_types.get(project.task_type)
    try:
        context["signature"] = signature = signature_read(version)
        context["kinds"] = KINDS
        context["request_json"] = shlex.quote(json.dumps(signature.example, ensure_ascii=False))
        context["base"] = request.build_absolute_uri("/api/v1")
    except ModelFileGone as gone:
        context["gone"] = gone.message
    return render(request, "releases/model.html", context)


@require_GET
@login_required
@project_permission(Permission.TAKE_MODEL)
def download(request: Signed, project: Project, version_id: int) -> HttpResponseBase:
    version = selectors.version_in(project, version_id)
    return model_download(request=request, version=version, by=request.user, at=timezone.now())


@require_POST
@login_required
@project_permission(Permission.PROMOTE)
def promote(request: Signed, project: Project, version_id: int) -> HttpResponse:
    form = PromoteForm(request.POST)
    if not form.is_valid():
        raise Invalid(gettext("The reason is longer than 400 characters. Say it shorter."), field="reason")
    version = selectors.version_in(project, version_id)
    rollout = release_ask(version=version, reason=form.cleaned_data["reason"], by=request.user, at=timezone.now())
    if isinstance(rollout, ReleaseRequest):
        messages.success(
            request, gettext("v{number} waits for a second person to approve it.").format(number=version.number)
        )
        return go(request, reverse("releases:models", args=[project.pk]) + "#waiting")
    if rollout.is_open:
        messages.success(request, gettext("v{number} is on its way to users.").format(number=version.number))
        return go(request, reverse("releases:rollout", args=[project.pk, rollout.pk]))
    messages.success(request, gettext("v{number} is champion. The predictor loads it.").format(number=version.number))
    return go(request, reverse("releases:models", args=[project.pk]))


@require_POST
@login_required
@project_permission(Permission.PROMOTE)
def roll_back(request: Signed, project: Project) -> HttpResponse:
    form = RollBackForm(request.POST)
    if not form.is_valid():
        raise Invalid(gettext("The page did not say which champion it saw. Reload it and roll back from there."))
    promotion = services.model_roll_back(project=project, by=request.user, at=timezone.now(), **form.cleaned_data)
    messages.success(
        request, gettext("Rolled back to v{number}. The predictor loads it.").format(number=promotion.version.number)
    )
    return go(request, reverse("releases:models", args=[project.pk]))


@require_POST
@login_required
@project_permission(Permission.PREDICT, changes=False)  # an archived project’s champion goes on answering
def try_champion(request: Signed, project: Project) -> HttpResponse:
    image = request.FILES.get("image")
    question = inference.request_for(
        project.task_type,
        request.POST.dict(),
        image.read(inference.MOST_BYTES + 1) if image else None,
        selectors.features_like(project),
    )
    answer = inference.ask(model=project.slug, request=question)
    template = "releases/_answer.html" if request.htmx else "releases/answer.html"
    return render(request, template, {"project": project, "answer": answer})
