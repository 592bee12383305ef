"""Pages of training: the runs, their trigger, and the live parts of one run. The run's own page is in apps.releases."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from apps.pages.figures import figures_answer
from apps.pages.requests import Signed, go
from apps.projects import task_types
from apps.projects.access import project_permission
from apps.projects.models import Project
from apps.projects.roles import Permission
from apps.rules.trigger import conditions_of
from apps.training import charts, listing, selectors
from apps.training.forms import TriggerForm
from apps.training.models import RunKind, RunPriority, RunState
from apps.training.schedule_selectors import startable
from apps.training.services import runs as run_services
from apps.training.services.triggers import FIELDS, trigger_of, trigger_set
from apps.training.waiting import places_of, turn_words

PAGE = 25


@require_GET
@login_required
@project_permission(Permission.VIEW_RUNS)
def runs(request: Signed, project: Project) -> HttpResponse:
    template = "training/_runs.html" if request.htmx else "training/runs.html"
    return render(request, template, _listed(request, project))


def _listed(request: Signed, project: Project, form: TriggerForm | None = None) -> dict[str, object]:
    trigger = trigger_of(project)
    form = form or TriggerForm(initial={name: getattr(trigger, name) for name in FIELDS})
    form.fields["kind"].choices = [(kind.value, kind.label) for kind in selectors.kinds_of(project)]  # type: ignore[attr-defined]
    chosen = listing.listing_from(request.GET)
    page = Paginator(chosen.of(selectors.runs_listed(project)), PAGE).get_page(request.GET.get("page"))
    last_run = selectors.last_run_of(project)
    evidence = selectors.evidence_for(trigger, last_run)
    conditions = conditions_of(timezone.now(), evidence, selectors.settings_of(trigger))
    turns = {pk: (turn_words(place), place) for pk, place in places_of(page, at=timezone.now()).items()}
    return {
        "project": project,
        "page": page,
        "listing": chosen,
        "all_kinds": RunKind.choices,
        "states": RunState.choices,
        "verdicts": listing.VERDICTS.items(),
        "sorts": listing.SORTS.items(),
        "all_tags": listing.tags_in(project),
        "kinds": startable(project),
        "priorities": RunPriority.choices,
        "turns": turns,
        "learns": task_types.get(project.task_type).learns,
        "trigger": trigger,
        "form": form,
        "progress": {c.cause.value: f"{c.sentence}." for c in conditions},
    }


@require_POST
@login_required
@project_permission(Permission.START_RUN)
def trigger(request: Signed, project: Project) -> HttpResponse:
    form = TriggerForm(request.POST)
    if not form.is_valid():
        template = "training/_trigger.html" if request.htmx else "training/runs.html"
        return render(request, template, _listed(request, project, form), status=422)
    trigger_set(project=project, by=request.user, at=timezone.now(), **form.cleaned_data)
    messages.success(request, gettext("The trigger is saved."))
    return go(request, reverse("training:runs", args=[project.pk]))


@require_POST
@login_required
@project_permission(Permission.START_RUN, changes=False)  # what runs may be stopped in the archive too
def cancel(request: Signed, project: Project, run_id: int) -> HttpResponse:
    run = run_services.run_cancel(run=selectors.run_in(project, run_id), by=request.user, at=timezone.now())
    if run.is_open:
        words = gettext("Run {number} ends at its next report. Its labels wait for the next run.")
    else:
        words = gettext("Run {number} is canceled. Its labels wait for the next run.")
    messages.success(request, words.format(number=run.number))
    return go(request, reverse("lineage:run", args=[project.pk, run.pk]))


@require_GET
@login_required
@project_permission(Permission.VIEW_RUNS)
def curves(request: Signed, project: Project, run_id: int) -> HttpResponse:
    run = selectors.run_in(project, run_id)
    return figures_answer(request, charts.curves(run, selectors.curves_of(run), selectors.holdout_at_end(run.base_run)))


@require_GET
@login_required
@project_permission(Permission.VIEW_RUNS)
def log(request: Signed, project: Project, run_id: int) -> HttpResponse:
    run = selectors.run_in(project, run_id)
    return render(request, "training/_log.html", {"project": project, "run": run, "lines": selectors.lines_of(run)})
