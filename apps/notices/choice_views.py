"""The page of a person's own choices: what comes how, where mail goes, quiet hours, and a test of it."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.errors import Invalid, TooMany
from apps.notices import choosing, trials
from apps.notices.forms import CHANNELS, ChoicesForm, levels_posted
from apps.notices.models import MailState, NoticeLevel
from apps.notices.telling import mail_on
from apps.pages.requests import Signed, go, refused


@require_http_methods(["GET", "POST"])
@login_required
def choices(request: Signed) -> HttpResponse:
    if request.method == "GET":
        return _page(request)
    form = ChoicesForm(request.POST)
    try:
        if form.is_valid():
            channels = choosing.channels_of(choosing.choices_of(request.user))
            levels = levels_posted(request.POST, channels)
            choosing.choices_set(person=request.user, levels=levels, at=timezone.now(), **form.cleaned_data)
            messages.success(request, gettext("It is saved what you hear and how."))
            return go(request, reverse("notices:choices"))
    except Invalid as error:
        refused(form, error)
    return _page(request, form=form, status=422)


def _page(request: Signed, *, status: int = 200, **more: Any) -> HttpResponse:
    kept, words = choosing.choices_of(request.user), dict(NoticeLevel.choices)
    context = {
        "form": ChoicesForm(initial=ChoicesForm.of(kept)),
        "lines": [(each, words[each.severity]) for each in choosing.channels_of(kept)],
        "assigned": choosing.channel_when_assigned(kept),
        "channels": CHANNELS,
        "mail_on": mail_on(),
        "of_account": request.user.email,
        "address": choosing.mail_address(kept),
        **_trial(request),
    }
    return render(request, "notices/choices.html", context | more, status=status)


def _trial(request: Signed) -> dict[str, Any]:
    found, now = trials.trial_of(request.user), timezone.now()
    forgotten = found is not None and trials.trial_forgotten(found, now)
    waits = found is not None and found.state == MailState.WAITING and not forgotten
    return {"trial": found, "trial_waits": waits, "trial_forgotten": forgotten}


@require_POST
@login_required
def trial(request: Signed) -> HttpResponse:
    """Asks a worker, and shows that it was asked; the fragment looks again until something came of it."""
    try:
        trials.trial_start(person=request.user, at=timezone.now())
    except (Invalid, TooMany) as error:
        if request.htmx:
            context = _trial(request) | {"trial_refused": error.message}
            return render(request, "notices/_trial.html", context, status=error.http_status)
        messages.error(request, error.message)
        return go(request, reverse("notices:choices"))
    if request.htmx:
        return render(request, "notices/_trial.html", _trial(request))
    messages.success(request, gettext("A test is on its way."))
    return go(request, reverse("notices:choices"))


@require_GET
@login_required
def trial_state(request: Signed) -> HttpResponse:
    return render(request, "notices/_trial.html", _trial(request))
