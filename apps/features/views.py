"""The page of encoders: what there is, and bringing one's own. For those who run the console."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from apps.errors import Forbidden, Invalid
from apps.features import selectors, services
from apps.features.forms import EncoderForm
from apps.pages.requests import Signed, go, refused


@require_http_methods(["GET", "POST"])
@login_required
def encoders(request: Signed) -> HttpResponse:
    if not request.user.is_superuser:
        raise Forbidden(gettext("Only an admin of the console brings encoders: its workers load what stands there."))
    if request.method == "GET":
        return _page(request, EncoderForm())
    form = EncoderForm(request.POST)
    try:
        if form.is_valid():
            added = services.encoder_add(by=request.user, at=timezone.now(), **form.cleaned_data)
            messages.success(request, gettext("“{name}” is being loaded by a worker.").format(name=added.name))
            return redirect("features:encoders")
    except Invalid as error:
        refused(form, error)
    return _page(request, form, status=422)


def _page(request: Signed, form: EncoderForm, *, status: int = 200) -> HttpResponse:
    context = {"form": form, "encoders": list(selectors.encoders_listed())}
    return render(request, "features/encoders.html", context, status=status)


@require_POST
@login_required
def check(request: Signed, name: str) -> HttpResponse:
    services.encoder_check_again(name=name, by=request.user)
    messages.success(request, gettext("“{name}” is being loaded by a worker.").format(name=name))
    return go(request, "/encoders/")
