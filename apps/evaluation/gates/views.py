"""The page of the gates: which judge the models, as rows and as YAML."""

import yaml
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from apps.datasets.selectors import columns_known
from apps.errors import Invalid
from apps.evaluation.gates import services
from apps.evaluation.gates.forms import (
    GateRow,
    GateYamlForm,
    SensitiveForm,
    parameters_in_words,
    row_of,
    rows_of,
    rows_posted,
    types_offered,
)
from apps.evaluation.gates.selectors import gate_policies_of, gate_policy_in_force, sensitive_columns_of
from apps.pages.requests import Signed, go
from apps.projects.access import project_permission
from apps.projects.models import Project
from apps.projects.roles import Permission
from apps.rules.gates import GATES, GatePolicy, gate_policy_of
from apps.rules.policies import PolicyRefused


@require_GET
@login_required
@project_permission(Permission.VIEW_RUNS)
def policy(request: Signed, project: Project) -> HttpResponse:
    return _page(request, project)


@require_POST
@login_required
@project_permission(Permission.SET_GATES)
def policy_set(request: Signed, project: Project) -> HttpResponse:
    """Adding or removing a row shows the form again; nothing is set before its own button."""
    rows = rows_posted(request.POST)
    gate = GATES.get(request.POST.get("add_type", ""))
    if "add" in request.POST and gate is not None:
        return _page(request, project, [*rows, row_of(gate)])
    if gone := request.POST.get("remove", ""):
        return _page(request, project, [row for row in rows if row.index != gone])
    if not all(row.form.is_valid() for row in rows):
        return _page(request, project, rows, status=422)
    try:
        given = gate_policy_of({"gates": [row.settings() for row in rows]})
    except PolicyRefused as refused:
        at = refused.at[1] if len(refused.at) > 1 else None
        if isinstance(at, int) and at < len(rows):
            rows[at].fault = str(refused)
        return _page(request, project, rows, fault=str(refused), status=422)
    return _set(request, project, given)


@require_POST
@login_required
@project_permission(Permission.SET_GATES)
def yaml_set(request: Signed, project: Project) -> HttpResponse:
    """What cannot be used stays in the form, with one sentence."""
    form = GateYamlForm(request.POST)
    if form.is_valid():
        try:
            return _set(request, project, services.gate_policy_given_yaml(form.cleaned_data["policy"]))
        except Invalid as refused:
            form.add_error("policy", refused.message)
    return _page(request, project, yaml_form=form, status=422)


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
    return _page(request, project, sensitive_form=form, status=422)


def _set(request: Signed, project: Project, given: GatePolicy) -> HttpResponse:
    services.gate_policy_set(project=project, policy=given, by=request.user, at=timezone.now())
    messages.success(request, gettext("The gates are set. The next verdict follows them."))
    return go(request, reverse("gates:policy", args=[project.pk]))


def _page(
    request: Signed,
    project: Project,
    rows: list[GateRow] | None = None,
    *,
    yaml_form: GateYamlForm | None = None,
    sensitive_form: SensitiveForm | None = None,
    fault: str = "",
    status: int = 200,
) -> HttpResponse:
    in_force = gate_policy_in_force(project)
    written = yaml.safe_dump(in_force.written(), sort_keys=False, allow_unicode=True)
    context = {
        "project": project,
        "here": "releases",
        "rows": rows_of(in_force) if rows is None else rows,
        "fault": fault,
        "types": types_offered(),
        "yaml_form": yaml_form or GateYamlForm(initial={"policy": written}),
        "sensitive": (marked := sensitive_columns_of(project)),
        "sensitive_form": sensitive_form or SensitiveForm(initial={"columns": "\n".join(marked)}),
        "columns": columns_known(project),
        "in_force": [(settings, parameters_in_words(settings)) for settings in in_force.gates],
        "policies": gate_policies_of(project)[:20],
    }
    return render(request, "evaluation/gates/policy.html", context, status=status)
