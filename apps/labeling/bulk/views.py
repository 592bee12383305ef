"""The page of similar examples and the search. Plain forms; bulk.js adds the keys."""

import uuid
from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from apps.accounts.models import User
from apps.errors import Forbidden, Invalid
from apps.labeling.bulk import search as finding
from apps.labeling.bulk import selectors
from apps.labeling.bulk.search import SearchQuery
from apps.labeling.services import bulk as services
from apps.projects import task_types
from apps.projects.access import permissions_of, project_permission
from apps.projects.models import Project
from apps.projects.roles import Permission
from apps.projects.selectors import schema_of

BIGGEST_ID = 2**63 - 1


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)


def _number(given: str | None, *, most: int = BIGGEST_ID) -> int | None:
    """Nonsense in an address is nothing, never an error."""
    text = given or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= most else None


def _text(query: QueryDict, name: str, most: int = 200) -> str:
    return query.get(name, "").replace("\x00", "").encode("utf-8", "ignore").decode().strip()[:most]


def _sees_all(request: HttpRequest, project: Project) -> bool:
    return Permission.VIEW_DATA in permissions_of(_user(request), project.pk)


@require_GET
@login_required
@project_permission(Permission.LABEL, changes=True)  # the archive has no desk
def bulk(request: HttpRequest, project: Project) -> HttpResponse:
    by, like, n = _user(request), _number(request.GET.get("like")), _number(request.GET.get("n"))
    count, sees_all = n if n in selectors.SIZES else 25, _sees_all(request, project)
    found = selectors.alike(project, like, count=count, by=by, sees_all=sees_all) if like is not None else None
    task = task_types.get(project.task_type)
    context = {
        "project": project,
        "task": task,
        "found": found,
        "count": count,
        "sizes": selectors.SIZES,
        "labels": schema_of(project).offered,
        "client_id": uuid.uuid4(),
        "possible": task.answer.in_bulk,
    }
    return render(request, "labeling/bulk.html", context)


def _back(request: HttpRequest, project: Project) -> HttpResponse:
    """To the page that the form stood on."""
    kept = QueryDict(mutable=True)
    for name in ("like", "n"):
        if _number(request.POST.get(name)) is not None:
            kept[name] = request.POST[name]
    return redirect(f"{reverse('bulk:bulk', args=[project.pk])}?{kept.urlencode()}")


@require_POST
@login_required
@project_permission(Permission.LABEL)
def label(request: HttpRequest, project: Project) -> HttpResponse:
    given, kind = request.POST, task_types.get(project.task_type).answer
    value = {kind.key: given.getlist(kind.key) if kind.structured else given.get(kind.key, "")}
    ids = [pk for x in given.getlist("example") if (pk := _number(x)) is not None]
    batch = services.annotations_bulk(
        project=project,
        example_ids=ids,
        value=value,
        client_id=_client_id(given.get("client_id", "")),
        by=_user(request),
        at=timezone.now(),
        active_ms=_number(given.get("active_ms"), most=2**31) or 0,
    )
    (messages.success if batch.saved else messages.warning)(request, batch.sentence)
    return _back(request, project)


def _client_id(given: str) -> uuid.UUID:
    try:
        return uuid.UUID(given)
    except ValueError:
        raise Invalid(_("The batch has no id. Reload the page and label again."), field="client_id") from None


@require_POST
@login_required
@project_permission(Permission.LABEL)
def undo(request: HttpRequest, project: Project) -> HttpResponse:
    client_id = _client_id(request.POST.get("client_id", ""))
    n = services.bulk_withdraw(project=project, client_id=client_id, by=_user(request), at=timezone.now())
    words = ngettext(
        "The last batch is undone: {n} answer withdrawn.", "The last batch is undone: {n} answers withdrawn.", n
    )
    messages.success(request, words.format(n=n))
    return _back(request, project)


@require_GET
@login_required
@project_permission(Permission.VIEW_PROJECT)
def search(request: HttpRequest, project: Project) -> HttpResponse:
    may = permissions_of(_user(request), project.pk)
    if not may & {Permission.LABEL, Permission.VIEW_DATA}:
        raise Forbidden(_("To search you need a role that labels or sees the data."), project_id=project.pk)
    asked, sees_all = _asked(request.GET), Permission.VIEW_DATA in may
    hits, lines = selectors.searched(project, asked, by=_user(request), sees_all=sees_all)
    context = {
        "project": project,
        "task": task_types.get(project.task_type),
        "asked": asked,
        "hits": hits,
        "lines": lines,
        "sees_all": sees_all,
        "labels": schema_of(project).names,
        "lanes": selectors.LANES,
        "none": finding.NO_LABEL,
        "people": selectors.answered_by(project) if sees_all else [],
    }
    return render(request, "labeling/search.html", context)


def _asked(query: QueryDict) -> SearchQuery:
    return SearchQuery(
        words=_text(query, "q"),
        label=_text(query, "label"),
        lane=_text(query, "lane", 8),
        by=_text(query, "by"),
        like=_number(query.get("like")),
        page=_number(query.get("page"), most=finding.MOST_PAGES) or 1,
    )


@require_POST
@login_required
@project_permission(Permission.LABEL)
def take(request: HttpRequest, project: Project, example_id: int) -> HttpResponse:
    services.assignment_take(project=project, example_id=example_id, by=_user(request), at=timezone.now())
    return redirect("labeling:desk", project.pk)


@require_POST
@login_required
@project_permission(Permission.LABEL)
def flag(request: HttpRequest, project: Project, example_id: int) -> HttpResponse:
    services.example_flag(project=project, example_id=example_id, by=_user(request), at=timezone.now())
    messages.success(request, _("A reviewer will look at it."))
    return redirect(f"{reverse('bulk:search', args=[project.pk])}?{request.GET.urlencode()}")
