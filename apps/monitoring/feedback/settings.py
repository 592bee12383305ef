"""How a project reads feedback and what its log keeps: read, and changed by name."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from math import isfinite
from typing import Any

from django.db import transaction
from django.utils.translation import gettext

from apps.accounts.models import User
from apps.audit.services import event_record
from apps.audit.verbs import Verb
from apps.errors import Invalid
from apps.monitoring.models import FeedbackSettings, PayloadsKept
from apps.monitoring.models.feedback import MOST_DAYS, MOST_MATURITY_H
from apps.pages.sentences import refusal
from apps.projects.models import Project
from apps.rules.feedback import MOST_NAMES, number_name
from apps.rules.sentences import sentence
from apps.rules.values import ValueRefused


@dataclass(frozen=True)
class FeedbackChoices:
    """What a manager chooses. Shares are 0 to 1, `log_days` None keeps answers and feedback."""

    maturity_hours: float
    zero_names: Sequence[str]
    payloads: str
    sample_share: float
    payload_days: int
    log_days: int | None
    becomes_examples: bool


FIELDS = tuple(FeedbackChoices.__dataclass_fields__)


def feedback_settings_of(project: Project) -> FeedbackSettings:
    """The row, or the defaults where nobody has chosen."""
    return FeedbackSettings.objects.filter(project=project).first() or FeedbackSettings(project=project)


def feedback_choices_of(project: Project) -> FeedbackChoices:
    kept = feedback_settings_of(project)
    return FeedbackChoices(**{name: getattr(kept, name) for name in FIELDS})


def payload_shares() -> dict[int, float]:
    """Of each project that keeps what requests ask about: for which share of them."""
    rows = FeedbackSettings.objects.exclude(payloads=PayloadsKept.NONE).filter(project__deleting_since=None)
    return {row.project_id: row.share_kept for row in rows}


@transaction.atomic
def feedback_settings_set(*, project: Project, by: User, at: datetime, **given: Any) -> FeedbackSettings:
    """Change what is given, by name; the rest stays. Raises Invalid with the field."""
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    kept, before = feedback_settings_of(project), asdict(feedback_choices_of(project))
    for name, value in given.items():
        setattr(kept, name, _checked(name, value))
    after = {name: getattr(kept, name) for name in FIELDS}
    changed = [name for name in FIELDS if before[name] != after[name]]
    if changed:
        kept.save(update_fields=None if kept._state.adding else changed)  # the lease is somebody else's to write
        event_record(
            project_id=project.pk,
            verb=Verb.FEEDBACK_SET,
            subject="feedback",
            by=by,
            at=at,
            sentence=sentence("{by} set how feedback is read and what the log keeps.", by=by),
            before={name: before[name] for name in changed},
            after={name: after[name] for name in changed},
        )
    return kept


def _checked(name: str, value: Any) -> Any:
    if name == "becomes_examples":
        return bool(value)
    if name == "zero_names":
        return _names(value)
    if name == "payloads":
        if value not in PayloadsKept.values:
            raise Invalid(gettext("What is kept is one of: none, sample, all."), field=name)
        return value
    least, most = _RANGES[name]
    if value is None and name == "log_days":
        return None
    if value is None or not isfinite(value) or not least <= value <= most:
        words = gettext("It is between {least:g} and {most:g}.").format(least=least, most=most)
        raise Invalid(words, field=name)
    return value


_RANGES: dict[str, tuple[float, float]] = {
    "maturity_hours": (0, MOST_MATURITY_H),
    "sample_share": (0, 1),
    "payload_days": (1, MOST_DAYS),
    "log_days": (1, MOST_DAYS),
}


def _names(given: Sequence[str]) -> list[str]:
    try:
        found = list(dict.fromkeys(number_name(name) for name in given))
    except ValueRefused as refused:
        raise Invalid(refusal(refused), field="zero_names") from None
    if len(found) > MOST_NAMES:
        raise Invalid(gettext("At most {n} names can be given.").format(n=MOST_NAMES), field="zero_names")
    return found
