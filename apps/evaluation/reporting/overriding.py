"""Override gates that did not pass: by a named right, with a reason, once a report."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext

from apps.accounts.models import User
from apps.audit.services import event_record
from apps.audit.verbs import Verb
from apps.errors import DomainError, Invalid
from apps.evaluation.models import Outcome, Report
from apps.live.publish import look_again
from apps.live.topics import News, Topic
from apps.projects.models import Project
from apps.rules.gates import GATES
from apps.rules.sentences import sentence
from apps.rules.words import count

LEAST_REASON, MOST_REASON = 20, 400  # characters; it is kept in the audit trail and read months later


class GatesNotOverridden(DomainError):
    """There is nothing to override, or nobody can."""

    code = "gates_not_overridden"


@transaction.atomic
def gates_override(*, report: Report, reason: str, by: User, at: datetime) -> Report:
    """The verdict stays what it is; the version may be released all the same. Raises GatesNotOverridden where all passed, where
    somebody did already, or where a gate failed without which nothing serves; Invalid for a reason too short or too long."""
    project = Project.objects.select_for_update(no_key=True).get(pk=report.run.project_id)
    row = Report.objects.select_for_update(of=("self",), no_key=True).select_related("run").get(pk=report.pk)
    _refuse(row)
    if not LEAST_REASON <= len(reason.strip()) <= MOST_REASON:
        raise Invalid(
            gettext("Say why the gates can be overridden, in {least} to {most} characters.").format(
                least=LEAST_REASON, most=MOST_REASON
            ),
            field="reason",
        )
    row.overridden_by, row.overridden_at, row.override_reason = by, at, reason.strip()
    row.save(update_fields=["overridden_by", "overridden_at", "override_reason"])
    gates = [gate["name"] for gate in row.deciding_gates if gate["outcome"] != Outcome.PASS]
    event_record(
        project_id=project.pk,
        verb=Verb.GATES_OVERRIDDEN,
        subject=f"run {row.run.number}",
        by=by,
        at=at,
        sentence=sentence(
            "{by} overrode {gates} of run {number}.", by=by, gates=count(len(gates), "gate"), number=row.run.number
        ),
        after={"gates": gates, "reason": row.override_reason},
    )
    look_again(Topic.RUN.of(row.run_id), News.REPORT, row.run_id)
    look_again(Topic.PROJECT.of(project.pk), News.REPORT, row.run_id)
    return row


def may_be_overridden(report: Report) -> bool:
    try:
        _refuse(report)
    except GatesNotOverridden:
        return False
    return True


def _refuse(report: Report) -> None:
    if report.outcome == Outcome.PASS:
        raise GatesNotOverridden(gettext("All gates that block pass, so there is nothing to override."))
    if report.overridden:
        raise GatesNotOverridden(gettext("The gates of this report are overridden already; nothing was changed."))
    if any(g["outcome"] == Outcome.FAIL and _required(g) for g in report.deciding_gates):
        raise GatesNotOverridden(
            gettext("A model that does not load cannot serve, whoever wants it. Nothing was changed.")
        )


def _required(gate: dict[str, str]) -> bool:
    known = GATES.get(gate.get("type") or gate["name"])
    return known is not None and known.required
