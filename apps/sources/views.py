"""Pages of sources: the list with a form; one with its lag, newest events and dead letters."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.errors import Invalid, NotFound
from apps.pages.figures import figures_answer
from apps.pages.requests import Signed, refused
from apps.pages.sentences import in_words
from apps.projects.access import project_permission
from apps.projects.models import Project
from apps.projects.roles import Permission
from apps.rules.sentences import parts_of
from apps.sources import charts, selectors, services, states
from apps.sources.forms import ReplayForm, SourceForm
from apps.sources.models import Source

LETTERS_A_PAGE = 25
CHARTED = timedelta(hours=3)
ACTS = ("test", "pause", "resume", "replay", "remove")


@require_http_methods(["GET", "POST"])
@login_required
@project_permission(Permission.SET_SOURCES)
def sources(request: Signed, project: Project) -> HttpResponse:
    form = SourceForm(request.POST or None, initial={"partitions": 1})
    at, status = timezone.now(), 200
    if request.method == "POST":
        try:
            if form.is_valid():
                about = {name: form.cleaned_data[name] for name in ("kind", "events")}
                made = services.source_add(project=project, by=request.user, at=at, **about, **form.given())
                messages.success(request, gettext("“{name}” is read from now on.").format(name=made.name))
                return redirect("sources:source", project.pk, made.pk)
        except Invalid as error:
            refused(form, error)
        status = 422
    context = {"project": project, "form": form, "here": "projects:settings"}
    context["lines"] = selectors.source_lines(project, at)
    return render(request, "sources/sources.html", context, status=status)


@require_GET
@login_required
@project_permission(Permission.SET_SOURCES)
def listed(request: Signed, project: Project) -> HttpResponse:
    """The table alone, looked at again when something came."""
    lines = selectors.source_lines(project, timezone.now())
    return render(request, "sources/_sources.html", {"project": project, "lines": lines})


@require_http_methods(["GET", "POST"])
@login_required
@project_permission(Permission.SET_SOURCES)
def source(request: Signed, project: Project, source_id: int) -> HttpResponse:
    found = selectors.source_of(project, source_id)
    form, status = SourceForm(request.POST or None, initial=SourceForm.of(found)), 200
    if request.method == "POST":
        try:
            if form.is_valid():
                services.source_change(source=found, by=request.user, at=timezone.now(), **form.given())
                messages.success(request, gettext("The source is changed."))
                return redirect("sources:source", project.pk, found.pk)
        except Invalid as error:
            refused(form, error)
        status = 422
    shown, why_none = selectors.preview_or_none(found)
    context = _state(request, project, found) | {
        "form": form,
        "here": "projects:settings",
        "preview": shown,
        "why_none": why_none,
        "why_none_parts": parts_of(why_none),
        "by_hand": selectors.sent_by_hand(found),
        "address": request.build_absolute_uri(f"/api/v1/projects/{project.pk}/sources/{found.pk}/events/"),
    }
    return render(request, "sources/source.html", context, status=status)


@require_GET
@login_required
@project_permission(Permission.SET_SOURCES)
def state(request: Signed, project: Project, source_id: int) -> HttpResponse:
    """How it fares and its dead letters, looked at again when something came."""
    found = selectors.source_of(project, source_id)
    return render(request, "sources/_fares.html", _state(request, project, found))


@require_GET
@login_required
@project_permission(Permission.SET_SOURCES)
def figures(request: Signed, project: Project, source_id: int) -> HttpResponse:
    found, until = selectors.source_of(project, source_id), timezone.now()
    minutes = selectors.minutes_of(found, until - CHARTED)
    drawn = {
        "lag": charts.lag(minutes, until - CHARTED, until),
        "events": charts.events(minutes, until - CHARTED, until),
    }
    return figures_answer(request, drawn)


@require_POST
@login_required
@project_permission(Permission.SET_SOURCES)
def act(request: Signed, project: Project, source_id: int, what: str) -> HttpResponse:
    """One of test, pause, resume, replay, remove."""
    if what not in ACTS:
        raise NotFound(gettext("There is no such page."))
    found = selectors.source_of(project, source_id)
    said, well = _acted(request, found, what)
    (messages.success if well else messages.error)(request, said)
    if what == "remove":
        return redirect("sources:sources", project.pk)
    return redirect("sources:source", project.pk, found.pk)


def _acted(request: Signed, found: Source, what: str) -> tuple[str, bool]:
    by, at = request.user, timezone.now()
    if what == "test":
        trial = services.source_test(source=found)
        return in_words(trial.words, parts_of(trial.words)), trial.fine
    if what == "pause":
        states.source_pause(source=found, by=by, at=at)
        return gettext("It is paused. Events wait in the stream."), True
    if what == "resume":
        states.source_resume(source=found, by=by, at=at)
        return gettext("It goes on where it stood."), True
    if what == "remove":
        services.source_remove(source=found, by=by, at=at)
        return gettext("The source “{name}” is removed.").format(name=found.name), True
    form = ReplayForm(request.POST)
    if not form.is_valid():
        return gettext("Say from where: beginning, end, an offset or a moment."), False
    try:
        services.source_replay(source=found, since=form.cleaned_data["since"], by=by, at=at)
    except Invalid as error:
        return error.message, False
    return gettext("It is read again from there. What is known does nothing again."), True


def _state(request: Signed, project: Project, found: Source) -> dict[str, Any]:
    page = Paginator(selectors.letters_of(found), LETTERS_A_PAGE).get_page(request.GET.get("page"))
    (line,) = selectors.source_lines(project, timezone.now(), only=found)
    return {
        "project": project,
        "source": found,
        "line": line,
        "page": page,
        "partitions": selectors.partitions_of(found),
    }
