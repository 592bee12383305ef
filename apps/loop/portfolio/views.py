"""The page of all projects."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from apps.loop.closing.selectors import deletions_shown_to
from apps.loop.portfolio.selectors import WORST, portfolio_of
from apps.pages.requests import Signed
from apps.projects.access import may_create_projects
from apps.projects.models import DeletionState


@require_GET
@login_required
def projects(request: Signed) -> HttpResponse:
    archived = request.GET.get("show") == "archived"
    found = portfolio_of(request.user, timezone.now(), request.GET.get("sort", WORST), archived=archived)
    going = deletions_shown_to(request.user, timezone.now())
    context = {
        "portfolio": found,
        "deletions": going,
        "going": any(each.state == DeletionState.DELETING for each in going),
        "may_create": may_create_projects(request.user),
    }
    return render(request, "loop/portfolio.html", context)
