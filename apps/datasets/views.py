"""Pages of the data: what is there, how it came in, what was refused and why."""

from collections.abc import Iterator
from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from apps.accounts.models import User
from apps.datasets import listing_saved, selectors
from apps.datasets.forms import LettersFilter
from apps.datasets.listing import COLUMNS, SORTS, STATES, ListingAsked, examples_listed, lanes, lines_listed
from apps.datasets.listing_saved import views_for
from apps.datasets.models import DeadLetter
from apps.datasets.readers import SUFFIXES, WORDS
from apps.errors import Forbidden
from apps.pages.streams import streamed
from apps.projects import task_types
from apps.projects.access import permissions_of, project_permission
from apps.projects.models import Project
from apps.projects.roles import Permission
from apps.projects.selectors import members_of, schema_of
from apps.rules.pictures import media_type, shown_bytes
from apps.rules.spreadsheets import csv_line

EXAMPLES_A_PAGE = 50
LETTERS_A_PAGE = 50
NEWEST_INGESTIONS = 20
CSV = "text/csv; charset=utf-8"
YEAR_S = 31_536_000  # an example's bytes never change


def data_page(request: HttpRequest, project: Project, *, upload_error: str = "", status: int = 200) -> HttpResponse:
    """The page of the data; the upload renders it again when a file is not taken."""
    asked = ListingAsked(request.GET)
    page = Paginator(examples_listed(project, asked), EXAMPLES_A_PAGE).get_page(request.GET.get("page"))
    task = task_types.get(project.task_type)
    context: dict[str, Any] = {
        "project": project,
        "task": task,
        "counts": selectors.counts_of(project),
        "page": page,
        "asked": asked,
        "lines": lines_listed(project, list(page)),
        "labels": schema_of(project).names,
        "members": members_of(project),
        "columns": COLUMNS.items(),
        "states": STATES.items(),
        "lanes": lanes(),
        "sorts": [(name, words) for name, (words, _fields) in SORTS.items()],
        "sorted_words": SORTS[asked.sort][0],
        "views": views_for(project, cast(User, request.user)),
        "ingestions": selectors.ingestions_shown(project, NEWEST_INGESTIONS),
        "upload_error": upload_error,
        "limit_bytes": settings.MAX_UPLOAD_BYTES,
        "limit_words": f"{settings.MAX_UPLOAD_BYTES / 1e9:g} GB",
        "suffixes": SUFFIXES,
        "file_words": WORDS,
    }
    return render(request, "datasets/data.html", context, status=status)


@require_GET
@login_required
@project_permission(Permission.VIEW_DATA)
def data(request: HttpRequest, project: Project) -> HttpResponse:
    return data_page(request, project)


@require_POST
@login_required
@project_permission(Permission.VIEW_DATA)
def view_save(request: HttpRequest, project: Project) -> HttpResponse:
    saved = listing_saved.view_save(
        project=project,
        name=request.POST.get("name", ""),
        query=request.POST.get("query", ""),
        shared="shared" in request.POST,
        by=cast(User, request.user),
        at=timezone.now(),
    )
    messages.success(request, gettext("“{name}” is kept.").format(name=saved.name))
    return redirect(f"{reverse('datasets:data', args=[project.pk])}?{saved.address}")


@require_POST
@login_required
@project_permission(Permission.VIEW_DATA)
def view_remove(request: HttpRequest, project: Project, view_id: int) -> HttpResponse:
    listing_saved.view_remove(project=project, view_id=view_id, by=cast(User, request.user))
    messages.success(request, gettext("The view is removed."))
    return redirect("datasets:data", project.pk)


@require_GET
@login_required
@project_permission(Permission.VIEW_DATA)
def counts(request: HttpRequest, project: Project) -> HttpResponse:
    return render(request, "datasets/_counts.html", {"project": project, "counts": selectors.counts_of(project)})


@require_GET
@login_required
@project_permission(Permission.VIEW_DATA)
def ingestions(request: HttpRequest, project: Project) -> HttpResponse:
    newest = selectors.ingestions_shown(project, NEWEST_INGESTIONS)
    return render(request, "datasets/_ingestions.html", {"project": project, "ingestions": newest})


@require_GET
@login_required
@project_permission(Permission.VIEW_DATA)
def dead_letters(request: HttpRequest, project: Project) -> HttpResponse | StreamingHttpResponse:
    asked = LettersFilter(request.GET)
    letters = selectors.dead_letters_of(project, ingestion_id=asked.ingestion)
    if "csv" in request.GET:
        filename = f"refused-{project.slug}.csv"
        return streamed(_csv_lines(letters), by=cast(User, request.user), content_type=CSV, filename=filename)
    page = Paginator(letters, LETTERS_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "project": project,
        "page": page,
        "asked": asked,
        "sources": selectors.ingestions_with_letters(project),
        "examples": selectors.named(project, [letter.external_id for letter in page]),
    }
    return render(request, "datasets/dead_letters.html", context)


def _csv_lines(letters: QuerySet[DeadLetter]) -> Iterator[str]:
    yield csv_line(("file", "row", "id", "reason", "raw"))
    for letter in letters.iterator(chunk_size=500):
        cells = (str(letter.ingestion), letter.row_number, letter.external_id, letter.reason, letter.raw)
        yield csv_line(cells)


@require_GET
@login_required
@project_permission(Permission.VIEW_PROJECT)
def image(request: HttpRequest, project: Project, example_id: int) -> HttpResponse:
    if not permissions_of(cast(User, request.user), project.pk) & {Permission.LABEL, Permission.VIEW_DATA}:
        raise Forbidden(gettext("To see an image you need a role that labels or sees the data."), project_id=project.pk)
    content = shown_bytes(selectors.image_of(project, example_id))
    response = HttpResponse(content, content_type=media_type(content))
    response["Cache-Control"] = f"private, max-age={YEAR_S}, immutable"
    return response
