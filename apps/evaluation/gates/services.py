"""Mark what gates on fairness read."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext

from apps.accounts.models import User
from apps.audit.services import event_record
from apps.audit.verbs import Verb
from apps.errors import Invalid
from apps.evaluation.models import SensitiveColumns
from apps.pages.sentences import refusal
from apps.projects.models import Project
from apps.rules.sentences import sentence
from apps.rules.values import ValueRefused, name_of
from apps.rules.words import count

MOST_SENSITIVE = 20


@transaction.atomic
def sensitive_columns_set(*, project: Project, columns: Sequence[str], by: User, at: datetime) -> tuple[str, ...]:
    """Gates on fairness read these and no others. Raises Invalid for a name that no column can have."""
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    try:
        named = [name_of(name, gettext("The column’s name")) for name in columns]
    except ValueRefused as refused:
        raise Invalid(refusal(refused), field="columns") from None
    if len(named) > MOST_SENSITIVE:
        raise Invalid(gettext("At most {most} columns can be marked.").format(most=MOST_SENSITIVE), field="columns")
    marked = list(dict.fromkeys(named))
    row = SensitiveColumns.objects.filter(project=project).first()
    before = row.columns if row else []
    if before == marked:
        return tuple(marked)
    SensitiveColumns.objects.update_or_create(project=project, defaults={"columns": marked, "by": by, "at": at})
    event_record(
        project_id=project.pk,
        verb=Verb.SENSITIVE_SET,
        subject=f"project {project.pk}",
        by=by,
        at=at,
        sentence=sentence("{by} marked {columns} as sensitive.", by=by, columns=count(len(marked), "column")),
        before={"columns": before},
        after={"columns": marked},
    )
    return tuple(marked)
