"""The page of a policy: what is in force, the next one as rows and as YAML, the earlier ones."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol

import yaml
from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.views.decorators.http import require_GET, require_POST

from apps.pages.requests import Signed, go
from apps.pages.sentences import refusal
from apps.projects.access import View, project_permission
from apps.projects.models import Project
from apps.projects.policies.forms import PolicyYamlForm, begun_from
from apps.projects.policies.kinds import P, PolicyKind, V
from apps.projects.policies.selectors import policies_of, policy_read
from apps.projects.policies.services import PolicyOutdated, policy_set
from apps.projects.roles import Permission
from apps.rules.policies import PolicyRefused, yaml_read

MOST_SHOWN = 20  # of the earlier ones


class PolicyRow(Protocol):
    """A part of the form. `fault` is what the policy says against it."""

    fault: str

    def is_valid(self) -> bool: ...


@dataclass(frozen=True)
class PolicyEdit:
    """What the form of rows was sent with; `beside` are forms that stand beside the rows, by their names in the template.

    `policy` makes the policy of them once all are valid. Where a button of the rows was pressed (`only_rows`) nothing is set.
    """

    rows: Sequence[PolicyRow]
    policy: Callable[[], Mapping[str, Any]]
    beside: Mapping[str, forms.Form] = field(default_factory=dict)
    only_rows: bool = False

    @property
    def again(self) -> dict[str, Any]:
        """What the page is shown with once more."""
        return {"rows": self.rows, **self.beside}

    @property
    def whole(self) -> bool:
        return all(form.is_valid() for form in self.beside.values()) and all(row.is_valid() for row in self.rows)


@dataclass(frozen=True)
class PolicyPage(Generic[V, P]):
    """`template` extends projects/policy.html, `address` names the page; `rows_of` makes the form of a policy, `posted` reads it,
    and `more` is what else the template reads, of the policy in force and the one shown.

    `begin` is a policy that the address names to begin from. `aside` is what another button of the form shows; it sets nothing.
    """

    kind: PolicyKind[V, P]
    template: str
    address: str
    say: Promise  # once it is set
    rows_of: Callable[[P], Sequence[PolicyRow]]
    posted: Callable[[QueryDict], PolicyEdit]
    more: Callable[[Signed, Project, P, P], Mapping[str, Any]]
    begin: Callable[[Signed], P | None] = lambda request: None
    aside: Callable[[Signed, Project, PolicyEdit], HttpResponse | None] = lambda request, project, edit: None

    def views(self, *, see: Permission, sets: Permission) -> tuple[View, View, View]:
        """The page, what its form of rows sends, and what its text does, for who may."""

        @require_GET
        @login_required
        @project_permission(see)
        def policy(request: Signed, project: Project) -> HttpResponse:
            return self.show(request, project, begin=self.begin(request))

        @require_POST
        @login_required
        @project_permission(sets)
        def policy_set(request: Signed, project: Project) -> HttpResponse:
            return self.rows_take(request, project, self.posted(request.POST))

        @require_POST
        @login_required
        @project_permission(sets)
        def yaml_set(request: Signed, project: Project) -> HttpResponse:
            return self.yaml_set(request, project)

        return policy, policy_set, yaml_set

    def show(
        self,
        request: Signed,
        project: Project,
        *,
        begin: P | None = None,
        rows: Sequence[PolicyRow] | None = None,
        status: int = 200,
        **more: Any,
    ) -> HttpResponse:
        """`begin` is what the form holds instead of the policy in force, `rows` an edit that is not set."""
        versions = list(policies_of(self.kind, project)[:MOST_SHOWN])
        newest = versions[0] if versions else None
        in_force = policy_read(self.kind, newest)
        shown = begin or in_force
        written = yaml.safe_dump(shown.written(), sort_keys=False, allow_unicode=True)
        context = {
            "project": project,
            "policies": versions,
            "over": newest.number if newest else 0,
            "rows": self.rows_of(shown) if rows is None else rows,
            "yaml_form": PolicyYamlForm(initial={"policy": written}),
            "policy_url": reverse(self.address, args=[project.pk]),
            **self.more(request, project, in_force, shown),
        }
        if request.method == "POST" and (over := begun_from(request.POST)) is not None:
            context["over"] = over  # rows are added and moved in several requests
        return render(request, self.template, context | more, status=status)

    def set(self, request: Signed, project: Project, given: P) -> HttpResponse:
        """Raises PolicyOutdated."""
        over, now = begun_from(request.POST), timezone.now()
        policy_set(self.kind, project=project, policy=given, by=request.user, at=now, over=over)
        messages.success(request, str(self.say))
        return go(request, reverse(self.address, args=[project.pk]))

    def rows_read(self, said: Mapping[str, Any], rows: Sequence[PolicyRow]) -> P:
        """Raises PolicyRefused; the row it is about knows why by then."""
        try:
            return self.kind.checked(said)
        except PolicyRefused as refused:
            at = refused.at[1] if len(refused.at) > 1 else None
            if isinstance(at, int) and at < len(rows):
                rows[at].fault = refusal(refused)
            raise

    def rows_take(self, request: Signed, project: Project, edit: PolicyEdit) -> HttpResponse:
        """What cannot be used, or comes too late, stays in its rows with one sentence."""
        if edit.only_rows:
            return self.show(request, project, **edit.again)
        if not edit.whole:
            return self.show(request, project, status=422, **edit.again)
        try:
            return self.aside(request, project, edit) or self.set(
                request, project, self.rows_read(edit.policy(), edit.rows)
            )
        except PolicyRefused as refused:
            return self.show(request, project, fault=refusal(refused), status=422, **edit.again)
        except PolicyOutdated as late:
            return self.outdated(request, project, late, **edit.again)

    def yaml_set(self, request: Signed, project: Project) -> HttpResponse:
        """The same of the text."""
        form = PolicyYamlForm(request.POST)
        try:
            if form.is_valid():
                return self.set(request, project, self.kind.checked(yaml_read(form.cleaned_data["policy"])))
        except PolicyRefused as refused:
            form.add_error("policy", refusal(refused))
        except PolicyOutdated as late:
            return self.outdated(request, project, late, yaml_form=form)
        return self.show(request, project, yaml_form=form, status=422)

    def outdated(self, request: Signed, project: Project, late: PolicyOutdated, **more: Any) -> HttpResponse:
        """The edit as it was sent; sent once more it replaces the newer one."""
        return self.show(
            request, project, late=late.message, over=late.details["number"], status=late.http_status, **more
        )
