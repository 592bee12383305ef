"""Agreement, the consensus in force, and the work of each person. Everybody who labels sees their own page."""

from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from apps.accounts.models import User
from apps.audit.marks import marked, marks_of
from apps.labeling.selectors import median_active_s
from apps.pages.figures import figures_answer
from apps.pages.periods import Period, period_asked
from apps.pages.requests import Signed, go
from apps.pages.streams import streamed
from apps.projects.access import permissions_of, project_permission
from apps.projects.models import Project
from apps.projects.roles import Permission
from apps.quality import charts, members, merging, selectors, services, times
from apps.quality.own import returned_to
from apps.quality.people import csv_rows, fast_answers, person_of, team_of
from apps.quality.votes import agreed_of
from apps.rules.spreadsheets import csv_line


@require_GET
@login_required
@project_permission(Permission.VIEW_QUALITY)
def overview(request: Signed, project: Project) -> HttpResponse:
    return render(request, "quality/overview.html", _known(project))


@require_GET
@login_required
@project_permission(Permission.VIEW_QUALITY)
def summary(request: Signed, project: Project) -> HttpResponse:
    return render(request, "quality/_summary.html", _known(project))


def _known(project: Project) -> dict[str, Any]:
    return {
        "project": project,
        "agreed": agreed_of(project),
        "consensus": selectors.consensus_of(project),
        "gold": selectors.gold_sums(project),
        "reviews": selectors.reviews_of(project),
        "doubts": selectors.doubts_of(project),
    }


@require_GET
@login_required
@project_permission(Permission.VIEW_QUALITY)
def figures(request: Signed, project: Project) -> HttpResponse:
    agreed = agreed_of(project)
    return figures_answer(request, {"pairs": charts.pairs(agreed, members.names_of(agreed.partners))})


@require_POST
@login_required
@project_permission(Permission.EDIT_PROJECT)
def compare(request: Signed, project: Project) -> HttpResponse:
    merging.consensus_told(project=project, by=request.user, at=timezone.now())
    messages.success(request, _("The methods are compared now; the page shows the outcome by itself."))
    return go(request, reverse("quality:overview", args=[project.pk]))


@require_GET
@login_required
@project_permission(Permission.VIEW_QUALITY)
def people(request: Signed, project: Project) -> HttpResponse:
    template = "quality/_people.html" if request.htmx else "quality/people.html"
    period = _period(request, project, keep=True)
    return render(request, template, {"project": project, "team": team_of(project), "period": period})


@require_GET
@login_required
@project_permission(Permission.VIEW_QUALITY)
def people_figures(request: Signed, project: Project) -> HttpResponse:
    return figures_answer(
        request, {"over_time": _over_time(request, project), "durations": charts.durations(times.durations(project))}
    )


@require_GET
@login_required
@project_permission(Permission.VIEW_QUALITY)
def export(request: Signed, project: Project) -> StreamingHttpResponse:
    filename = f"{project.slug}-people.csv"
    return streamed(_csv_lines(project), by=request.user, content_type="text/csv; charset=utf-8", filename=filename)


def _csv_lines(project: Project) -> Iterator[str]:
    return map(csv_line, csv_rows(project))


@require_GET
@login_required
@project_permission(Permission.VIEW_QUALITY)
def person(request: Signed, project: Project, user_id: int) -> HttpResponse:
    return _person(request, project, members.member(project, user_id))


@require_GET
@login_required
@project_permission(Permission.VIEW_QUALITY)
def person_figures(request: Signed, project: Project, user_id: int) -> HttpResponse:
    return _person_figures(request, project, members.member(project, user_id))


@require_GET
@login_required
@project_permission(Permission.LABEL)
def mine(request: Signed, project: Project) -> HttpResponse:
    return _person(request, project, request.user)


@require_GET
@login_required
@project_permission(Permission.LABEL)
def mine_figures(request: Signed, project: Project) -> HttpResponse:
    return _person_figures(request, project, request.user)


def _person(request: Signed, project: Project, who: User) -> HttpResponse:
    own = who.pk == request.user.pk
    period = _period(request, project, who, keep=True)
    figures_url = reverse("quality:mine_figures", args=[project.pk])
    if not own:
        figures_url = reverse("quality:person_figures", args=[project.pk, who.pk])
    context = {
        "project": project,
        "person": person_of(project, who),
        "own": own,
        "returned": returned_to(project, who),
        "figures_url": f"{figures_url}?{period.query}",
        "period": period,
        "pauses": selectors.pauses_of(project, who.pk),
        "team_median_s": median_active_s(project),
        "fast": [
            (x, selectors.summary_of(x.example, project), selectors.words_of(x, project))
            for x in fast_answers(project, who)
        ],
    }
    return render(request, "quality/person.html", context)


def _person_figures(request: Signed, project: Project, who: User) -> HttpResponse:
    found = times.durations(project, who)
    drawn = {"over_time": _over_time(request, project, who)}
    return figures_answer(request, drawn | {"durations": charts.durations(found, str(who))})


def _over_time(request: Signed, project: Project, who: User | None = None) -> charts.Figure:
    """With releases and runs marked for whoever may see them: whoever only labels need not know which model guesses."""
    period = _period(request, project, who)
    found = times.over_time(project, period, who)
    figure = charts.over_time(found, period)
    if not found.starts or Permission.VIEW_RUNS not in permissions_of(request.user, project.pk):
        return figure
    return marked(figure, marks_of(project.pk, period.since, period.until))


def _period(request: Signed, project: Project, who: User | None = None, *, keep: bool = False) -> Period:
    at = timezone.now()
    return period_asked(request, at, lambda: times.period_that_fits(project, at, who), keep=keep)


@require_POST
@login_required
@project_permission(Permission.REVIEW)
def lift(request: Signed, project: Project, user_id: int) -> HttpResponse:
    pause = services.pause_lift(project=project, person_id=user_id, by=request.user, at=timezone.now())
    messages.success(request, _("{name} gets examples again, from the next one on.").format(name=pause.person))
    return go(request, reverse("quality:person", args=[project.pk, user_id]))
