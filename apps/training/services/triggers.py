"""Edit the trigger that starts runs by itself."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext, gettext_lazy

from apps.accounts.models import User
from apps.audit.services import english, event_record
from apps.audit.verbs import Verb
from apps.errors import Invalid
from apps.pages.numbers import fill
from apps.projects.models import Project
from apps.rules.sentences import lowered, sentence, term
from apps.training.models import RunKind, Trigger
from apps.training.selectors import kinds_of

BOUNDS = {
    "new_labels": (1, 1_000_000, gettext_lazy("new labels")),
    "minutes": (1, 525_600, gettext_lazy("minutes")),  # a year
    "disagreement_points": (1, 100, gettext_lazy("points")),
}
NEVER = gettext_lazy(
    "Every cause is empty, so no run would ever start by itself. Set one of them, or switch the trigger off."
)


@dataclass(frozen=True)
class TriggerChange:
    """What a trigger shall be; a cause that is None is off."""

    enabled: bool
    new_labels: int | None
    minutes: int | None
    disagreement_points: int | None
    debounce_s: int
    kind: str


FIELDS = tuple(field.name for field in fields(TriggerChange))


def trigger_of(project: Project) -> Trigger:
    return Trigger.objects.filter(project=project).first() or Trigger(project=project)


@transaction.atomic
def trigger_set(
    *,
    project: Project,
    enabled: bool,
    new_labels: int | None,
    debounce_s: int,
    kind: str,
    by: User,
    at: datetime,
    minutes: int | None = None,
    disagreement_points: int | None = None,
) -> Trigger:
    """Write all of it. Raises Invalid with the field that is wrong, or where it is on and nothing could ever fire."""
    change = TriggerChange(enabled, new_labels, minutes, disagreement_points, debounce_s, kind)
    _check(change, kinds_of(project))
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    before = Trigger.objects.filter(project=project).values(*FIELDS).first()
    trigger, _ = Trigger.objects.update_or_create(project=project, defaults=asdict(change))
    words = (
        sentence("{words}, {kind}", words=trigger.words, kind=lowered(english(RunKind(kind).label)))
        if enabled
        else term("off")
    )
    event_record(
        project_id=project.pk,
        verb=Verb.TRIGGER_SET,
        subject="trigger",
        by=by,
        at=at,
        sentence=sentence("{by} set the training trigger: {words}.", by=by, words=words),
        before=before,
        after=asdict(change),
    )
    return trigger


def _check(change: TriggerChange, kinds: Sequence[str]) -> None:
    for name, (least, most, noun) in BOUNDS.items():
        value = getattr(change, name)
        if value is not None and not least <= value <= most:
            raise Invalid(
                fill(
                    gettext("The trigger takes {least} to {most:,} {noun}, not {value:,}."),
                    least=least,
                    most=most,
                    noun=noun,
                    value=value,
                ),
                field=name,
            )
    if not 0 <= change.debounce_s <= 86_400:
        raise Invalid(
            fill(gettext("Runs wait for 0 to 86,400 quiet seconds, not {debounce_s:,}."), debounce_s=change.debounce_s),
            field="debounce_s",
        )
    if change.kind not in kinds:
        raise Invalid(
            gettext("The kind “{kind}” is not known here. Known are {values}.").format(
                kind=change.kind, values=", ".join(kinds)
            ),
            field="kind",
        )
    if change.enabled and change.new_labels is None and change.minutes is None and change.disagreement_points is None:
        raise Invalid(str(NEVER), field="enabled")
