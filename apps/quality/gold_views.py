"""Gold examples, reviews and doubted labels: what is known, what is decided, what should be looked at again."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from apps.errors import Invalid
from apps.pages.asked import text_asked
from apps.pages.requests import Signed, go
from apps.projects import task_types
from apps.projects.access import project_permission
from apps.projects.models import Project
from apps.projects.roles import Permission
from apps.projects.selectors import schema_of
from apps.quality import selectors, services
from apps.quality.forms import GoldForm, PasteForm

A_PAGE = 25


@require_GET
@login_required
@project_permission(Permission.VIEW_QUALITY)
def reviews(request: Signed, project: Project) -> HttpResponse:
    state = "decided" if request.GET.get("state") == "decided" else "open"
    page = Paginator(selectors.reviews_listed(project, state=state), A_PAGE).get_page(request.GET.get("page"))
    context = {
        "project": project,
        "state": state,
        "page": page,
        "sums": selectors.reviews_of(project),
        "lines": [(x, selectors.summary_of(x.example, project)) for x in page],
        "gaps": [(x, selectors.summary_of(x.example, project)) for x in selectors.guideline_gaps(project)],
        "remarks": [
            (x, selectors.summary_of(x.example, project), selectors.words_of(x, project))
            for x in selectors.remarks_of(project)
        ],
        "oldest": selectors.oldest_review(project),
    }
    template = "quality/_reviews.html" if request.htmx else "quality/reviews.html"
    return render(request, template, context)


@require_GET
@login_required
@project_permission(Permission.VIEW_QUALITY)
def doubts(request: Signed, project: Project) -> HttpResponse:
    state = text_asked(request.GET, "state") or "open"
    state = state if state in ("open", "corrected", "stands") else "open"
    page = Paginator(selectors.suspects_of(project, state=state), A_PAGE).get_page(request.GET.get("page"))
    context = {
        "project": project,
        "task": task_types.get(project.task_type),
        "state": state,
        "page": page,
        "doubts": selectors.doubts_of(project),
        "last": selectors.last_doubted(project),
        "lines": [(x, selectors.summary_of(x.example, project)) for x in page],
    }
    template = "quality/_doubts.html" if request.htmx else "quality/doubts.html"
    return render(request, template, context)


@require_GET
@login_required
@project_permission(Permission.VIEW_QUALITY)
def gold(request: Signed, project: Project) -> HttpResponse:
    return render(request, "quality/gold.html", _gold(request, project))


def _gold(request: Signed, project: Project, **forms: Form) -> dict[str, Any]:
    page = Paginator(selectors.gold_of(project), A_PAGE).get_page(request.GET.get("page"))
    text = text_asked(request.GET, "text")
    return {
        "project": project,
        "task": task_types.get(project.task_type),
        "page": page,
        "text": text,
        "sums": selectors.gold_sums(project),
        "found": selectors.gold_candidates(project, text) if text else [],
        "labels": schema_of(project).offered,
        "most_found": selectors.FOUND,
        "lines": [(x, selectors.summary_of(x.example, project), selectors.words_of(x, project)) for x in page],
        "paste": PasteForm(project=project),
        "gold_form": GoldForm(),
        **forms,
    }


@require_POST
@login_required
@project_permission(Permission.EDIT_PROJECT)
def gold_add(request: Signed, project: Project) -> HttpResponse:
    form = GoldForm(request.POST)
    if form.is_valid():
        given = form.cleaned_data
        value = {"label": given["label"]} if given["label"] else selectors.candidate_value(project, given["example"])
        if value is not None:
            services.gold_add(
                project=project,
                example_id=given["example"],
                value=value,
                explanation=given["explanation"],
                by=request.user,
                at=timezone.now(),
            )
            messages.success(request, _("The example is gold; everybody is asked it once."))
            return go(request, reverse("quality:gold", args=[project.pk]))
        form.add_error("label", _("It has no label yet, so say which answer is known."))
    return render(request, "quality/gold.html", _gold(request, project, gold_form=form), status=422)


@require_POST
@login_required
@project_permission(Permission.EDIT_PROJECT)
def gold_paste(request: Signed, project: Project) -> HttpResponse:
    form = PasteForm(request.POST, project=project)
    if form.is_valid():
        try:
            lines = form.cleaned_data["lines"]
            n = len(services.gold_paste(project=project, lines=lines, by=request.user, at=timezone.now()))
        except Invalid as refused:
            form.add_error("lines", refused.message)
        else:
            messages.success(request, ngettext("{n} example is gold now.", "{n} examples are gold now.", n).format(n=n))
            return go(request, reverse("quality:gold", args=[project.pk]))
    return render(request, "quality/gold.html", _gold(request, project, paste=form), status=422)


@require_POST
@login_required
@project_permission(Permission.EDIT_PROJECT)
def gold_remove(request: Signed, project: Project, example_id: int) -> HttpResponse:
    keep = request.POST.get("label") != "drop"
    services.gold_remove(project=project, example_id=example_id, keep_label=keep, by=request.user, at=timezone.now())
    messages.success(request, _("Nobody is asked it as gold any more."))
    return go(request, reverse("quality:gold", args=[project.pk]))
