"""The page of all projects."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from apps.loop.portfolio.selectors import WORST, portfolio_of
from apps.pages.requests import Signed
from apps.projects.access import may_create_projects


@require_GET
@login_required
def projects(request: Signed) -> HttpResponse:
    found = portfolio_of(request.user, timezone.now(), request.GET.get("sort", WORST))
    return render(request, "loop/portfolio.html", {"portfolio": found, "may_create": may_create_projects(request.user)})
