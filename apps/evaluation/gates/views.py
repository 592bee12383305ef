"""The page of the gates: which judge the models, as rows and as YAML."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from apps.datasets.selectors import columns_known
from apps.errors import Invalid
from apps.evaluation.gates import services
from apps.evaluation.gates.forms import SensitiveForm, gate_in_words, row_of, rows_of, rows_posted, types_offered
from apps.evaluation.gates.policies import GATE_POLICY
from apps.evaluation.gates.selectors import sensitive_columns_of
from apps.pages.requests import Signed, go
from apps.projects.access import project_permission
from apps.projects.models import Project
from apps.projects.policies.pages import PolicyPage
from apps.projects.roles import Permission
from apps.rules.gates import GATES, GatePolicy


def _more(request: Signed, project: Project, in_force: GatePolicy, shown: GatePolicy) -> dict[str, Any]:
    marked = sensitive_columns_of(project)
    return {
        "here": "releases",
        "gates": [(settings, gate_in_words(settings)) for settings in in_force.gates],
        "offered": [(gate.name, gettext(gate.title)) for gate in types_offered()],
        "sensitive": marked,
        "sensitive_form": SensitiveForm(initial={"columns": "\n".join(marked)}),
        "columns": columns_known(project),
    }


PAGE = PolicyPage(
    kind=GATE_POLICY,
    template="evaluation/gates/policy.html",
    address="gates:policy",
    say=gettext_lazy("The gates are set. The next verdict follows them."),
    rows_of=rows_of,
    more=_more,
)


@require_GET
@login_required
@project_permission(Permission.VIEW_RUNS)
def policy(request: Signed, project: Project) -> HttpResponse:
    return PAGE.show(request, project)


@require_POST
@login_required
@project_permission(Permission.SET_GATES)
def policy_set(request: Signed, project: Project) -> HttpResponse:
    """Adding or removing a row shows the form again; nothing is set before its own button."""
    rows = rows_posted(request.POST)
    if "add" in request.POST:
        gate = GATES.get(request.POST.get("add_type", ""))
        return PAGE.show(request, project, rows=[*rows, row_of(gate)] if gate is not None else rows)
    if gone := request.POST.get("remove", ""):
        return PAGE.show(request, project, rows=[row for row in rows if row.index != gone])
    if not all(row.form.is_valid() for row in rows):
        return PAGE.show(request, project, rows=rows, status=422)
    return PAGE.rows_set(request, project, {"gates": [row.settings() for row in rows]}, rows)


@require_POST
@login_required
@project_permission(Permission.SET_GATES)
def yaml_set(request: Signed, project: Project) -> HttpResponse:
    return PAGE.yaml_set(request, project)


@require_POST
@login_required
@project_permission(Permission.EDIT_PROJECT)
def sensitive_set(request: Signed, project: Project) -> HttpResponse:
    form = SensitiveForm(request.POST)
    if form.is_valid():
        try:
            services.sensitive_columns_set(project=project, columns=form.names(), by=request.user, at=timezone.now())
        except Invalid as refused:
            form.add_error("columns", refused.message)
        else:
            messages.success(request, gettext("The sensitive columns are marked."))
            return go(request, reverse("gates:policy", args=[project.pk]))
    return PAGE.show(request, project, sensitive_form=form, status=422)
