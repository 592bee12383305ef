"""The page of the gates: which judge the models, as rows and as YAML."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_POST

from apps.datasets.selectors import columns_known
from apps.errors import Invalid
from apps.evaluation.gates import services
from apps.evaluation.gates.forms import SensitiveForm, gate_in_words, gates_posted, rows_of, types_offered
from apps.evaluation.gates.policies import GATE_POLICY
from apps.evaluation.gates.selectors import sensitive_columns_of
from apps.pages.requests import Signed, go
from apps.projects.access import project_permission
from apps.projects.models import Project
from apps.projects.policies.pages import PolicyPage
from apps.projects.roles import Permission
from apps.rules.gates import GatePolicy


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
    posted=gates_posted,
    more=_more,
)


policy, policy_set, yaml_set = PAGE.views(see=Permission.VIEW_RUNS, sets=Permission.SET_GATES)


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
