"""Pages of notices: the bell of every page, the list over all projects, one notice and what is done with it."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext
from django.views.decorators.http import require_GET, require_POST

from apps.errors import DomainError, Invalid
from apps.notices import selectors, services
from apps.notices.choosing import reader_seen
from apps.notices.forms import SPANS, TurnForm
from apps.notices.models import Notice, NoticeLevel
from apps.notices.selectors import MOST_TOASTS, STATES, NoticeFilter
from apps.notices.telling import tellings_read
from apps.pages.asked import number_asked, text_asked
from apps.pages.requests import Signed, go
from apps.projects.access import project_permission
from apps.projects.models import Project
from apps.projects.roles import Permission

A_PAGE = 25


@require_GET
@login_required
def bell(request: Signed) -> HttpResponse:
    """Loaded by every page. Who reads remembers by it in which language and zone mail is to be written."""
    zone = timezone.get_current_timezone_name()
    reader_seen(person=request.user, language=get_language() or "en", zone=zone)
    now = timezone.now()
    context = {"bell": selectors.bell_of(request.user, now), "since": int(now.timestamp())}
    return render(request, "notices/_bell.html", context)


@require_GET
@login_required
def toasts(request: Signed) -> HttpResponse:
    """What came while the page was open: a few, and how many more there are."""
    since = number_asked(request.GET, "since", most=253_402_300_799)
    if since is None:
        return HttpResponse(status=204)
    told = selectors.toasts_since(request.user, datetime.fromtimestamp(since, UTC), timezone.now())
    known = set(request.GET.get("shown", "")[:2000].split(","))
    new = [each for each in told if _key(each) not in known]
    if not new:
        return HttpResponse(status=204)
    shown = [(each, _key(each)) for each in new[:MOST_TOASTS]]
    rest = [_key(each) for each in new[MOST_TOASTS:]]
    return render(request, "notices/_toasts.html", {"shown": shown, "rest": rest})


def _key(told: Any) -> str:
    """A telling at its time: the same notice may come again."""
    return f"{told.pk}-{int(told.told_at.timestamp())}"


@require_GET
@login_required
def notices(request: Signed) -> HttpResponse:
    asked, now = _asked(request.GET), timezone.now()
    page = Paginator(selectors.notices_listed(request.user, asked, now), A_PAGE).get_page(request.GET.get("page"))
    context = {
        "asked": asked,
        "page": page,
        "rows": selectors.titled(list(page.object_list)),
        "now": now,
        "bell": selectors.bell_of(request.user, now),
        "projects": selectors.projects_to_choose(request.user),
        "levels": NoticeLevel.choices,
    }
    return render(request, "notices/_list.html" if request.htmx else "notices/notices.html", context)


def _asked(query: QueryDict) -> NoticeFilter:
    state, severity = text_asked(query, "state"), text_asked(query, "severity")
    return NoticeFilter(
        state if state in (*STATES, "all") else "open",
        severity if severity in NoticeLevel.values else "",
        number_asked(query, "project"),
        query.get("mine") == "1",
    )


@require_POST
@login_required
def read_all(request: Signed) -> HttpResponse:
    count = tellings_read(person=request.user, notice=None, at=timezone.now())
    messages.success(request, gettext("{n} notices are marked as read.").format(n=count))
    return go(request, reverse("notices:notices"))


@require_GET
@login_required
def notice(request: Signed, notice_id: int) -> HttpResponse:
    """Opening it is reading it."""
    found = selectors.notice_for(request.user, notice_id)
    tellings_read(person=request.user, notice=found, at=timezone.now())
    return _page(request, found)


@require_GET
@login_required
@project_permission(Permission.VIEW_MONITOR)
def of_alarm(request: Signed, project: Project, alert_id: int) -> HttpResponse:
    """From an alarm to who was told of it, which stands some seconds later than the alarm itself."""
    found = selectors.notice_of_alarm(project, alert_id)
    if found is not None:
        return redirect("notices:notice", found)
    messages.info(
        request,
        gettext("There is no notice of this alarm: people are told within seconds, and it goes a year after it ended."),
    )
    return redirect("mending:alarm", project.pk, alert_id)


def _page(request: Signed, found: Notice, *, status: int = 200, **more: Any) -> HttpResponse:
    opened = selectors.notice_opened(request.user, found)
    context = {"opened": opened, "notice": found, "now": timezone.now(), "spans": SPANS, "levels": NoticeLevel}
    return render(request, "notices/notice.html", context | more, status=status)


@require_POST
@login_required
def snooze(request: Signed, notice_id: int) -> HttpResponse:
    def do(found: Notice, over: int | None, at: datetime) -> str:
        zone = timezone.get_current_timezone()
        span = request.POST.get("span", "")
        services.notice_snooze(notice=found, span=span, by=request.user, at=at, zone=zone, over=over)
        return gettext("It is snoozed for everybody.") if span else gettext("It is back.")

    return _act(request, notice_id, do)


@require_POST
@login_required
def assign(request: Signed, notice_id: int) -> HttpResponse:
    def do(found: Notice, over: int | None, at: datetime) -> str:
        username = request.POST.get("username", "")
        kept = services.notice_assign(notice=found, username=username, by=request.user, at=at, over=over)
        if kept.assigned_to is None:
            return gettext("It is nobody’s any more.")
        return gettext("It is assigned to {person}, who is told.").format(person=kept.assigned_to)

    return _act(request, notice_id, do)


@require_POST
@login_required
def comment(request: Signed, notice_id: int) -> HttpResponse:
    def do(found: Notice, over: int | None, at: datetime) -> str:
        services.notice_comment(notice=found, text=request.POST.get("text", ""), by=request.user, at=at)
        return gettext("Your comment stands below.")

    return _act(request, notice_id, do)


@require_POST
@login_required
def resolve(request: Signed, notice_id: int) -> HttpResponse:
    def do(found: Notice, over: int | None, at: datetime) -> str:
        services.notice_resolve(notice=found, note=request.POST.get("note", ""), by=request.user, at=at, over=over)
        return gettext("The notice is closed.")

    return _act(request, notice_id, do)


def _act(request: Signed, notice_id: int, do: Callable[[Notice, int | None, datetime], str]) -> HttpResponse:
    """What cannot be done stays on the page with its sentence and what was typed."""
    found = selectors.notice_for(request.user, notice_id, acts=True)
    form = TurnForm(request.POST)
    over = form.cleaned_data["over"] if form.is_valid() else None
    try:
        messages.success(request, do(found, over, timezone.now()))
    except (Invalid, services.NoticeChanged) as refused:
        return _refused(request, notice_id, refused)
    return go(request, reverse("notices:notice", args=[notice_id]))


def _refused(request: Signed, notice_id: int, refused: DomainError) -> HttpResponse:
    found = selectors.notice_for(request.user, notice_id)
    typed = {name: request.POST.get(name, "")[: services.MOST_COMMENT] for name in ("note", "text")}
    more = {"refused": refused.message, "wrong": {refused.details.get("field", ""): True}, "typed": typed}
    return _page(request, found, status=refused.http_status, **more)
