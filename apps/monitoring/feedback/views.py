"""The page of feedback: what came back, what it says of each version, and how it is read."""

from datetime import datetime
from urllib.parse import quote

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from apps.audit.marks import marked, marks_of
from apps.errors import Invalid
from apps.monitoring.feedback import charts, selectors
from apps.monitoring.feedback.forms import FeedbackSettingsForm
from apps.monitoring.feedback.settings import feedback_choices_of, feedback_settings_of, feedback_settings_set
from apps.monitoring.filters import filter_asked
from apps.monitoring.selectors import choices_of
from apps.pages.figures import figures_answer
from apps.pages.periods import Period, period_asked
from apps.pages.requests import Signed, refused
from apps.projects.access import project_permission
from apps.projects.models import Project
from apps.projects.roles import Permission
from apps.projects.selectors import schema_of


@require_GET
@login_required
@project_permission(Permission.VIEW_MONITOR)
def feedback(request: Signed, project: Project) -> HttpResponse:
    form = FeedbackSettingsForm(initial=FeedbackSettingsForm.of(feedback_choices_of(project)))
    return _page(request, project, form)


@require_GET
@login_required
@project_permission(Permission.VIEW_MONITOR)
def figures(request: Signed, project: Project) -> HttpResponse:
    at = timezone.now()
    period = _period(request, project, at)
    shown = filter_asked(request.GET)
    board = selectors.board_of(project, at, period, name=request.GET.get("name", ""), shown=shown)
    name = board.chosen.name if board.chosen else ""
    found = selectors.means_of(project, board.settings, name, at, period, buckets=True, shown=shown)
    figure = charts.means(found, period, at - board.settings.maturity, as_share=board.as_share)
    return figures_answer(request, {"means": marked(figure, marks_of(project.pk, period.since, period.until))})


def _period(request: Signed, project: Project, at: datetime, *, keep: bool = False) -> Period:
    return period_asked(request, at, lambda: selectors.period_that_fits(feedback_settings_of(project)), keep=keep)


@require_POST
@login_required
@project_permission(Permission.EDIT_PROJECT)
def settings_set(request: Signed, project: Project) -> HttpResponse:
    form = FeedbackSettingsForm.posted(request.POST, feedback_choices_of(project))
    try:
        if form.is_valid():
            feedback_settings_set(project=project, by=request.user, at=timezone.now(), **form.settings())
            messages.success(request, gettext("Feedback is read so from now on."))
            return redirect("feedback:feedback", project.pk)
    except Invalid as error:
        refused(form, error)
    return _page(request, project, form, status=422)


def _page(request: Signed, project: Project, form: FeedbackSettingsForm, *, status: int = 200) -> HttpResponse:
    at = timezone.now()
    period = _period(request, project, at, keep=status == 200)
    filters = filter_asked(request.GET)
    board = selectors.board_of(project, at, period, name=request.GET.get("name", ""), shown=filters)
    context = {
        "project": project,
        "filters": filters,
        "choices": choices_of(project, period, filters),
        "board": board,
        "period": period,
        "arms": [(charts.name_of(mean), mean) for mean in board.arms],
        "form": form,
        "name_in_url": quote(board.chosen.name, safe="") if board.chosen else "",
        "label": next((label.name for label in schema_of(project).offered), ""),
        "address": request.build_absolute_uri(f"/api/v1/projects/{project.pk}/feedback/"),
    }
    return render(request, "monitoring/feedback/feedback.html", context, status=status)
