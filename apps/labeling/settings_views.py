"""The page that sets how a project's queue runs."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_GET, require_POST

from apps.errors import Invalid
from apps.labeling.forms import QueueForm
from apps.labeling.models import QueueSettings
from apps.labeling.selectors import withheld_in
from apps.labeling.services.queue_settings import queue_settings_set
from apps.pages.numbers import grouped
from apps.pages.requests import Signed, refused
from apps.projects.access import project_permission
from apps.projects.models import Project
from apps.projects.roles import Permission


def _page(request: Signed, project: Project, form: QueueForm, *, status: int = 200) -> HttpResponse:
    context = {
        "project": project,
        "queue": project.queue,
        "queue_form": form,
        "withheld": withheld_in(project),
        "here": "projects:settings",
    }
    return render(request, "labeling/queue.html", context, status=status)


def _what_was_settled(kept: QueueSettings) -> str:
    """What saving did to the answers that were there."""
    done, left = kept.settling_done, kept.settling_left
    words = [gettext("The queue is set.")]
    if done:
        words.append(ngettext("{n} example settled.", "{n} examples settled.", done).format(n=grouped(done)))
    if left:
        more = ngettext("{n} more is looked at now.", "{n} more are looked at now.", left)
        words.append(more.format(n=grouped(left)))
    return " ".join(words)


@require_GET
@login_required
@project_permission(Permission.VIEW_PROJECT)
def settling(request: Signed, project: Project) -> HttpResponse:
    """How far the answers are settled again."""
    return render(request, "labeling/_settling.html", {"project": project, "queue": project.queue})


@require_GET
@login_required
@project_permission(Permission.VIEW_PROJECT)
def queue(request: Signed, project: Project) -> HttpResponse:
    return _page(request, project, QueueForm(project))


@require_POST
@login_required
@project_permission(Permission.EDIT_PROJECT)
def queue_set(request: Signed, project: Project) -> HttpResponse:
    form = QueueForm(project, request.POST)
    try:
        if form.is_valid():
            kept = queue_settings_set(project=project, by=request.user, at=timezone.now(), **form.settings())
            messages.success(request, _what_was_settled(kept))
            return redirect("queue:settings", project.pk)
    except Invalid as error:
        refused(form, error)
    return _page(request, project, form, status=422)
