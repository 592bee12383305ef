"""How a project reads feedback and what its log keeps: read, and changed by name."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
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
from apps.projects.selectors import schema_of
from apps.rules.feedback import MOST_NAMES, number_name
from apps.rules.log_sample import LEAST_SHARE, LogShares
from apps.rules.sentences import sentence
from apps.rules.values import ValueRefused

SHARE_DIGITS = 4  # the places of a draw


@dataclass(frozen=True)
class FeedbackChoices:
    """What a manager chooses. Shares are 0 to 1, `label_shares` by label where another one holds; `log_days` None keeps answers and
    feedback."""

    maturity_hours: float
    zero_names: Sequence[str]
    payloads: str
    sample_share: float
    payload_days: int
    log_days: int | None
    answer_share: float
    label_shares: Mapping[str, float]
    becomes_examples: bool


FIELDS = tuple(FeedbackChoices.__dataclass_fields__)


def feedback_settings_of(project: Project) -> FeedbackSettings:
    """The row, or the defaults where nobody has chosen."""
    return FeedbackSettings.objects.filter(project=project).first() or FeedbackSettings(project=project)


def feedback_choices_of(project: Project) -> FeedbackChoices:
    kept = feedback_settings_of(project)
    return FeedbackChoices(**{name: getattr(kept, name) for name in FIELDS})


@dataclass(frozen=True)
class LogKept:
    """What a log keeps: rows of which answers, and of which share of those requests what was asked."""

    shares: LogShares = field(default_factory=LogShares)
    asked: float = 0.0


def logs_kept() -> dict[int, LogKept]:
    """By project, of those that chose."""
    rows = FeedbackSettings.objects.filter(project__deleting_since=None).select_related("project")
    return {row.project_id: LogKept(log_shares_of(row), row.share_kept) for row in rows}


def log_shares_of(settings: FeedbackSettings) -> LogShares:
    """By every name that a model may know a label by."""
    if not settings.label_shares:
        return LogShares(settings.answer_share)
    shares = dict(settings.label_shares)
    for label in schema_of(settings.project).labels:
        if label.name in settings.label_shares:
            shares |= dict.fromkeys(label.former_names, settings.label_shares[label.name])
    return LogShares(settings.answer_share, shares)


@transaction.atomic
def feedback_settings_set(*, project: Project, by: User, at: datetime, **given: Any) -> FeedbackSettings:
    """Change what is given, by name; the rest stays. Raises Invalid with the field."""
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    kept, before = feedback_settings_of(project), asdict(feedback_choices_of(project))
    for name, value in given.items():
        setattr(kept, name, _checked(name, value, project))
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


def _checked(name: str, value: Any, project: Project) -> Any:
    if name == "becomes_examples":
        return bool(value)
    if name == "zero_names":
        return _names(value)
    if name == "label_shares":
        return _label_shares(value, project)
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
    return round(value, SHARE_DIGITS) if name == "answer_share" else value


_RANGES: dict[str, tuple[float, float]] = {
    "maturity_hours": (0, MOST_MATURITY_H),
    "sample_share": (0, 1),
    "payload_days": (1, MOST_DAYS),
    "log_days": (1, MOST_DAYS),
    "answer_share": (LEAST_SHARE, 1),
}


def _names(given: Sequence[str]) -> list[str]:
    try:
        found = list(dict.fromkeys(number_name(name) for name in given))
    except ValueRefused as refused:
        raise Invalid(refusal(refused), field="zero_names") from None
    if len(found) > MOST_NAMES:
        raise Invalid(gettext("At most {n} names can be given.").format(n=MOST_NAMES), field="zero_names")
    return found


def _label_shares(given: Any, project: Project) -> dict[str, float]:
    schema, found = schema_of(project), dict[str, float]()
    for said, share in given.items():
        (name,) = schema.today([str(said)])
        if schema.by_name(name) is None:
            raise Invalid(gettext("The project has no label “{value}”.").format(value=name[:60]), field="label_shares")
        if isinstance(share, bool) or not isinstance(share, int | float) or not LEAST_SHARE <= share <= 1:
            words = gettext("“{label}”: its share is between {least:g} and 1.").format(label=name, least=LEAST_SHARE)
            raise Invalid(words, field="label_shares")
        found[name] = round(float(share), SHARE_DIGITS)
    return found
