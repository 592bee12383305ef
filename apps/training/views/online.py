"""Pages of online learning."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from apps.pages.figures import figures_answer
from apps.pages.requests import Signed, go
from apps.projects import task_types
from apps.projects.access import project_permission
from apps.projects.models import Project
from apps.projects.roles import Permission
from apps.training.online_charts import curves
from apps.training.online_forms import OnlineForm
from apps.training.online_selectors import online_shown, progress_of
from apps.training.services.online import online_publish_ask, online_set


@require_GET
@login_required
@project_permission(Permission.VIEW_RUNS)
def online(request: Signed, project: Project) -> HttpResponse:
    template = "training/_online.html" if request.htmx else "training/online.html"
    return render(request, template, _shown(project))


def _shown(project: Project, form: OnlineForm | None = None) -> dict[str, object]:
    shown = online_shown(project)
    initial = {"enabled": shown.learner.enabled, "publish_every": shown.learner.publish_every}
    return {
        "project": project,
        "online": shown,
        "learner": shown.learner,
        "form": form or OnlineForm(initial=initial),
        "learns": task_types.get(project.task_type).learns,
        "here": "training",
    }


@require_POST
@login_required
@project_permission(Permission.START_RUN)
def settings(request: Signed, project: Project) -> HttpResponse:
    form = OnlineForm(request.POST)
    if not form.is_valid():
        return render(request, "training/online.html", _shown(project, form), status=422)
    online_set(project=project, by=request.user, at=timezone.now(), **form.cleaned_data)
    messages.success(request, gettext("Online learning is saved."))
    return go(request, reverse("training:online", args=[project.pk]))


@require_POST
@login_required
@project_permission(Permission.START_RUN)
def publish(request: Signed, project: Project) -> HttpResponse:
    online_publish_ask(project=project, by=request.user, at=timezone.now())
    messages.success(request, gettext("A model is made of what was learned; it appears among the runs in a moment."))
    return go(request, reverse("training:online", args=[project.pk]))


@require_GET
@login_required
@project_permission(Permission.VIEW_RUNS)
def figures(request: Signed, project: Project) -> HttpResponse:
    return figures_answer(request, curves(progress_of(project)))


urlpatterns = [
    path("online/", online, name="online"),
    path("online/settings/", settings, name="online_settings"),
    path("online/publish/", publish, name="online_publish"),
    path("online/figures/", figures, name="online_figures"),
]
