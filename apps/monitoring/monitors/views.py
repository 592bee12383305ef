"""Pages of monitors: the board, one reading with its histograms, the policy as rows and YAML, and one click more or less."""

from typing import Any
from urllib.parse import quote

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from apps.errors import Invalid
from apps.monitoring.filters import filter_asked
from apps.monitoring.models import MonitorReading
from apps.monitoring.monitors import board, charts, near
from apps.monitoring.monitors.forms import BudgetForm, WeighForm, monitor_in_words, monitors_posted, rows_of
from apps.monitoring.monitors.policies import MONITOR_POLICY
from apps.monitoring.selectors import choices_of
from apps.pages.figures import figures_answer
from apps.pages.periods import Period, period_asked
from apps.pages.requests import Signed, go
from apps.projects.access import permissions_of, project_permission
from apps.projects.models import Project
from apps.projects.policies.pages import PolicyPage
from apps.projects.policies.selectors import policy_in_force, policy_newest
from apps.projects.policies.services import policy_set as policy_write
from apps.projects.roles import Permission
from apps.rules.monitors import MONITORS, MonitorPolicy
from apps.rules.rollouts.durations import in_words


@require_GET
@login_required
@project_permission(Permission.VIEW_MONITOR)
def monitors(request: Signed, project: Project) -> HttpResponse:
    period, filters = _period(request, keep=True), filter_asked(request.GET)
    found = board.board_of(project, timezone.now())
    context = {"project": project, "here": "monitoring", "board": found, "period": period, "filters": filters}
    if found.number:  # without a policy nothing is drawn, and so nothing to filter
        context["choices"] = choices_of(project, period, filters)
    return render(request, "monitoring/monitors/board.html", context)


def _period(request: Signed, *, keep: bool = False) -> Period:
    return period_asked(request, timezone.now(), lambda: "30d", keep=keep)


@require_GET
@login_required
@project_permission(Permission.VIEW_MONITOR)
def figures(request: Signed, project: Project) -> HttpResponse:
    period = _period(request)
    version = policy_newest(MONITOR_POLICY, project)
    number, of = version.number if version else 0, filter_asked(request.GET).version
    drawn = board.features_over_time(project, number, period, version=of)
    page = f"{reverse('monitors:reading', args=[project.pk, 0]).replace('/0/', '/{reading}/')}?feature="
    return figures_answer(request, {"features": charts.heat_map(drawn, period, page)})


@require_GET
@login_required
@project_permission(Permission.VIEW_MONITOR)
def reading(request: Signed, project: Project, reading_id: int) -> HttpResponse:
    """One window of one monitor: what it said, and both sides of each feature; a cell of the heat map is one of its features, with
    the requests that show it."""
    found = _reading(project, reading_id)
    context = {"project": project, "here": "monitoring", "reading": found, "features": board.pictures_of(found)}
    if name := request.GET.get("feature", ""):
        feature = near.feature_named(found, name)
        if feature is None:
            raise Http404
        context |= {"feature": feature, "has_sides": board.has_sides(feature), "feature_in_url": quote(name, safe="")}
        if Permission.VIEW_DATA in permissions_of(request.user, project.pk):
            context["near"] = near.requests_near(found, feature)
    return render(request, "monitoring/monitors/reading.html", context)


def _reading(project: Project, reading_id: int) -> MonitorReading:
    found = board.reading_shown(project, reading_id)
    if found is None:
        raise Http404
    return found


@require_GET
@login_required
@project_permission(Permission.VIEW_MONITOR)
def reading_figures(request: Signed, project: Project, reading_id: int) -> HttpResponse:
    found = _reading(project, reading_id)
    drawn = {f"feature-{i}": charts.both_sides(each) for i, each in enumerate(board.pictures_of(found))}
    feature = near.feature_named(found, request.GET.get("feature", ""))
    if feature is not None and board.has_sides(feature):
        drawn["chosen"] = charts.both_sides(feature)
    return figures_answer(request, drawn)


@require_GET
@login_required
@project_permission(Permission.VIEW_MONITOR)
def logged_request(request: Signed, project: Project) -> HttpResponse:
    """One request of the log: what was asked, what models said, what came back."""
    if Permission.VIEW_DATA not in permissions_of(request.user, project.pk):
        raise Http404
    item, named = request.GET.get("item", "") or "0", request.GET.get("id", "").replace("\0", "").strip()
    place = int(item) if item.isascii() and item.isdigit() and len(item) < 6 else -1
    story = near.request_story(project, named, place) if place >= 0 else None
    context = {"project": project, "here": "monitoring", "story": story, "named": named, "item": item}
    return render(request, "monitoring/monitors/request.html", context, status=404 if named and not story else 200)


@require_POST
@login_required
@project_permission(Permission.SET_MONITORS)
def weigh(request: Signed, project: Project) -> HttpResponse:
    """More or less sensitive: first what that would have changed, then, asked once more, the next version of the policy."""
    form = WeighForm(request.POST)
    policy = policy_in_force(MONITOR_POLICY, project)
    settings = policy.named(form.cleaned_data["monitor"]) if form.is_valid() else None
    if settings is None:
        raise Invalid(gettext("There is no such monitor."), field="monitor")
    if not form.cleaned_data["set"]:
        found = board.replayed(project, policy, settings, form.factor, timezone.now())
        context = {"project": project, "here": "monitoring", "replay": found, "settings": settings, "form": form}
        return render(request, "monitoring/monitors/weigh.html", context)
    given = policy.reweighted(settings.called, form.factor)
    policy_write(MONITOR_POLICY, project=project, policy=given, by=request.user, at=timezone.now())
    messages.success(request, gettext("The monitors are set. Windows that end from now on follow them."))
    return go(request, reverse("monitors:monitors", args=[project.pk]))


# The policy


def _more(request: Signed, project: Project, in_force: MonitorPolicy, shown: MonitorPolicy) -> dict[str, Any]:
    return {
        "here": "monitoring",
        "in_force": in_force,
        "monitors": [(settings, monitor_in_words(settings)) for settings in in_force.monitors],
        "offered": [(monitor.name, gettext(monitor.title)) for monitor in MONITORS.values()],
        "budget_form": BudgetForm(initial={"budget": f"{shown.budget:g}", "cooldown": in_words(shown.cooldown)}),
    }


PAGE = PolicyPage(
    kind=MONITOR_POLICY,
    template="monitoring/monitors/policy.html",
    address="monitors:policy",
    say=gettext_lazy("The monitors are set. Windows that end from now on follow them."),
    rows_of=rows_of,
    posted=monitors_posted,
    more=_more,
)


policy, policy_set, yaml_set = PAGE.views(see=Permission.VIEW_MONITOR, sets=Permission.SET_MONITORS)
