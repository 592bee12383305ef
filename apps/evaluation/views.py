"""The learning page: what choosing saves, when to stop, how the queue is ordered, and what the model labels by itself."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from apps.errors import NotFound
from apps.evaluation import charts, selectors
from apps.evaluation.forms import AutoLabelingForm, RateForm
from apps.labeling import selectors as labeling
from apps.labeling.services import auto_labels
from apps.labeling.services.queue_settings import rate_set
from apps.pages.figures import figures_answer
from apps.pages.requests import Signed, go
from apps.projects.access import project_permission
from apps.projects.models import Project
from apps.projects.roles import Permission

BATCHES = 20  # newest that the page shows; the API lists all


@require_GET
@login_required
@project_permission(Permission.VIEW_RUNS)
def learning(request: Signed, project: Project) -> HttpResponse:
    return render(request, "evaluation/learning.html", _shown(project))


@require_GET
@login_required
@project_permission(Permission.VIEW_RUNS)
def summary(request: Signed, project: Project) -> HttpResponse:
    return render(request, "evaluation/_summary.html", _shown(project))


@require_GET
@login_required
@project_permission(Permission.VIEW_RUNS)
def order(request: Signed, project: Project) -> HttpResponse:
    return render(request, "evaluation/_order.html", {"project": project, "queue": labeling.frontier_of(project)})


def _shown(project: Project, **forms: Form) -> dict[str, object]:
    auto = labeling.auto_labeling_of(project)
    return {
        "project": project,
        "learning": selectors.learning_of(project),
        "queue": labeling.frontier_of(project),
        "auto": auto,
        "batches": labeling.auto_batches_of(project)[:BATCHES],
        "contradictions": labeling.contradictions_of(project),
        "auto_form": AutoLabelingForm(
            initial={
                "enabled": auto.enabled,
                "target_percent": f"{100 * auto.target_precision:.6g}",
                "audit_percent": f"{100 * auto.audit_share:.6g}",
            }
        ),
        "rate_form": RateForm(initial={"hourly_rate": project.queue.hourly_rate, "currency": project.queue.currency}),
        **forms,
    }


@require_GET
@login_required
@project_permission(Permission.VIEW_RUNS)
def figures(request: Signed, project: Project) -> HttpResponse:
    runs = selectors.runs_measured(project)
    return figures_answer(request, {"learning": charts.learning(selectors.newest_learning(project), runs)})


@require_GET
@login_required
@project_permission(Permission.VIEW_RUNS)
def auto(request: Signed, project: Project) -> HttpResponse:
    context = {
        "project": project,
        "auto": labeling.auto_labeling_of(project),
        "batches": labeling.auto_batches_of(project)[:BATCHES],
    }
    return render(request, "evaluation/_auto.html", context)


@require_POST
@login_required
@project_permission(Permission.EDIT_PROJECT)
def auto_labeling(request: Signed, project: Project) -> HttpResponse:
    form = AutoLabelingForm(request.POST)
    if not form.is_valid():
        template = "evaluation/_auto_form.html" if request.htmx else "evaluation/learning.html"
        return render(request, template, _shown(project, auto_form=form), status=422)
    given = form.cleaned_data
    row = auto_labels.auto_labeling_set(
        project=project,
        enabled=given["enabled"],
        target_precision=given["target_percent"] / 100,
        audit_share=given["audit_percent"] / 100,
        by=request.user,
        at=timezone.now(),
    )
    messages.success(
        request,
        gettext("Auto-labeling is on; the champion looks at the pool now.")
        if row.enabled
        else gettext("Auto-labeling is off."),
    )
    return go(request, reverse("evaluation:learning", args=[project.pk]))


@require_POST
@login_required
@project_permission(Permission.EDIT_PROJECT)
def auto_withdraw(request: Signed, project: Project, number: int) -> HttpResponse:
    batch = labeling.auto_batches_of(project).filter(number=number).first()
    if batch is None:
        raise NotFound(gettext("There is no such batch of auto-labels."))
    auto_labels.auto_batch_withdraw(batch=batch, by=request.user, at=timezone.now())
    messages.success(
        request,
        gettext("Batch {number} is withdrawn; its examples are open again and join the queue within a minute.").format(
            number=number
        ),
    )
    return go(request, reverse("evaluation:learning", args=[project.pk]))


@require_POST
@login_required
@project_permission(Permission.EDIT_PROJECT)
def rate(request: Signed, project: Project) -> HttpResponse:
    form = RateForm(request.POST)
    if not form.is_valid():
        template = "evaluation/_rate.html" if request.htmx else "evaluation/learning.html"
        return render(request, template, _shown(project, rate_form=form), status=422)
    rate_set(project=project, by=request.user, at=timezone.now(), **form.cleaned_data)
    messages.success(request, gettext("The rate is saved."))
    return go(request, reverse("evaluation:learning", args=[project.pk]))
