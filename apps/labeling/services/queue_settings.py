"""How a project's queue runs: order, lanes, how many answer, how answers become labels, what is suggested and checked."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.audit.services import english, event_record
from apps.audit.verbs import Verb
from apps.errors import Invalid
from apps.features.selectors import encoders_for
from apps.labeling.encoders import encoder_of
from apps.labeling.models import LANE_WEIGHTS, ConsensusMethod, Lane, QueueSettings
from apps.labeling.services.resettling import AT_ONCE_S, resettle, resettling_open, slots_rebuild
from apps.live.publish import look_again
from apps.live.topics import News, Topic
from apps.pages.numbers import grouped
from apps.projects.models import Project
from apps.rules.acquisition import STRATEGIES
from apps.rules.sentences import joined, lowered, sentence, term

LANES = tuple(LANE_WEIGHTS)
ONE_ANSWER_LANES = frozenset({"gold", "review", "relabel"})  # each person once, one reviewer, one second look
MOST_WEIGHT = 100  # as in the form: a lane a hundred times as often as another
MOST_OVERLAP = 5
MOST_GOLD_FAILURES = 20


@dataclass(frozen=True)
class QueueChoices:
    """What a manager chooses. Shares are 0 to 1; `lane_overlap` holds only the lanes that differ from `overlap`."""

    strategy: str
    encoder: str
    overlap: int
    lane_weights: Mapping[str, int]
    lane_overlap: Mapping[str, int]
    consensus: str
    review_at_most: float
    blind_share: float
    planted_share: float
    gold_failures: int
    gold_feedback: bool


NAMED = {  # as the record calls them
    "strategy": term("strategy"),
    "encoder": term("encoder"),
    "overlap": term("overlap"),
    "lane_weights": term("lane weights"),
    "lane_overlap": term("lane overlap"),
    "consensus": term("consensus"),
    "review_at_most": term("review at most"),
    "blind_share": term("blind share"),
    "planted_share": term("planted share"),
    "gold_failures": term("gold failures"),
    "gold_feedback": term("gold feedback"),
}
FIELDS = tuple(QueueChoices.__dataclass_fields__)


def queue_choices_of(project: Project) -> QueueChoices:
    kept = project.queue
    chosen = {name: getattr(kept, name) for name in FIELDS}
    chosen["lane_weights"] = {lane: int(kept.lane_weights.get(lane, LANE_WEIGHTS[lane])) for lane in LANES}
    return QueueChoices(**{**chosen, "encoder": encoder_of(project), "lane_overlap": dict(kept.lane_overlap)})


def queue_open(*, project: Project, **given: Any) -> QueueSettings:
    """The settings that a new project begins with: what is given by name, the defaults for the rest."""
    return QueueSettings.objects.create(project=project, **given)


def queue_settings_set(*, project: Project, by: User, at: datetime, **given: Any) -> QueueSettings:
    """Change what is given, by name; the rest stays, and so do lanes whose weight is not given.

    Where the numbers of answers or the rule that settles them change, waiting slots follow at once and what was answered
    is settled again: `settling_done` of what is returned says how many, `settling_left` how many a job still looks at.
    Another encoder makes new vectors beside the old ones; models keep theirs, and the queue goes on. Raises Invalid in
    words and changes nothing.
    """
    kept, begun = _set(project, by, at, given)
    if begun:
        resettle(project_id=project.pk, by=by, at=at, seconds=AT_ONCE_S)
        kept.refresh_from_db()
    return kept


@transaction.atomic
def _set(project: Project, by: User, at: datetime, given: dict[str, Any]) -> tuple[QueueSettings, bool]:
    """The settings, and whether answers are to be settled again."""
    locked = Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    kept, before = locked.queue, queue_choices_of(locked)
    weights = {**before.lane_weights, **given.pop("lane_weights", {})}
    if not given.get("encoder", ""):
        given.pop("encoder", None)
    after = replace(before, lane_weights=weights, **given)
    after = replace(after, lane_overlap={k: n for k, n in after.lane_overlap.items() if n != after.overlap})
    _check(after, project)
    kept.settling_done = kept.settling_left = 0
    if after == before:
        return kept, False
    for name in FIELDS:
        setattr(kept, name, getattr(after, name))
    kept.save(update_fields=list(FIELDS))
    _record(locked, asdict(before), asdict(after), by, at)
    if _settles(before) == _settles(after):
        return kept, False
    slots_rebuild(project=locked, at=at)
    return kept, resettling_open(project=locked, at=at) > 0


def _settles(s: QueueChoices) -> tuple[Any, ...]:
    """What decides when answers become a label, and who is asked where they differ."""
    return s.overlap, dict(s.lane_overlap), s.review_at_most, s.lane_weights.get("review", 0) > 0


def _check(s: QueueChoices, project: Project) -> None:
    if s.strategy not in STRATEGIES:
        sentence = _("The strategy “{name}” is not known. Known are {known}.")
        raise Invalid(sentence.format(name=s.strategy, known=", ".join(STRATEGIES)), field="strategy")
    if s.encoder not in encoders_for(project.task_type):
        sentence = _("The encoder “{name}” is not known here. Known are {known}.")
        known = ", ".join(encoders_for(project.task_type))
        raise Invalid(sentence.format(name=s.encoder, known=known), field="encoder")
    if not set(s.lane_weights) <= set(LANES) or any(
        not 0 <= weight <= MOST_WEIGHT for weight in s.lane_weights.values()
    ):
        sentence = _("The lanes are {lanes}; each has a weight of 0 to {most}.")
        raise Invalid(sentence.format(lanes=", ".join(LANES), most=grouped(MOST_WEIGHT)), field="weight_active")
    counts = [s.overlap, *s.lane_overlap.values()]
    if any(not 1 <= n <= MOST_OVERLAP for n in counts) or not set(s.lane_overlap) <= set(LANES) - ONE_ANSWER_LANES:
        sentence = _(
            "Between 1 and {most} people may answer each example; gold, review and relabel have rules of their own."
        )
        raise Invalid(sentence.format(most=MOST_OVERLAP), field="overlap")
    if s.consensus not in ConsensusMethod.values:
        sentence = _("The consensus “{name}” is not known. Known are {known}.")
        raise Invalid(sentence.format(name=s.consensus, known=", ".join(ConsensusMethod.values)), field="consensus")
    for name in ("review_at_most", "blind_share", "planted_share"):
        if not 0 <= getattr(s, name) <= 1:
            raise Invalid(_("A share lies between 0 and 100 %."), field=name)
    if not 0 <= s.gold_failures <= MOST_GOLD_FAILURES:
        sentence = _("Pause after 1 to {most} wrong gold answers in a row, or 0 for never.")
        raise Invalid(sentence.format(most=MOST_GOLD_FAILURES), field="gold_failures")


def _record(project: Project, before: dict[str, Any], after: dict[str, Any], by: User, at: datetime) -> None:
    changed = joined(
        [
            sentence("{name} {value}", name=NAMED[name], value=_said(value, before[name]))
            for name, value in after.items()
            if value != before[name]
        ],
        ", ",
    )
    event_record(
        project_id=project.pk,
        verb=Verb.QUEUE_SET,
        subject=f"project {project.pk}",
        by=by,
        at=at,
        sentence=sentence("{by} set the queue’s {changed}.", by=by, changed=changed),
        before=before,
        after=after,
    )
    look_again(Topic.PROJECT.of(project.pk), News.QUEUE)


def _said(value: Any, before: Any) -> str:
    """Of lanes only those that changed."""
    if not isinstance(value, dict):
        return sentence("to {value}", value=value)
    changed = {lane: n for lane, n in value.items() if before.get(lane) != n}
    gone = [sentence("{lane} as the project", lane=_lane(lane)) for lane in before if lane not in value]
    return joined([*(sentence("{lane} {n}", lane=_lane(lane), n=n) for lane, n in changed.items()), *gone])


def _lane(lane: str) -> str:
    return lowered(english(Lane(lane).label)) if lane in Lane.values else lane


@transaction.atomic
def rate_set(*, project: Project, hourly_rate: Decimal | None, currency: str, by: User, at: datetime) -> QueueSettings:
    """What an hour of one annotator costs, for the advice whether to go on; None when nobody says."""
    locked = QueueSettings.objects.select_for_update(no_key=True).get(pk=project.pk)
    before = {"hourly_rate": _money(locked.hourly_rate), "currency": locked.currency}
    locked.hourly_rate, locked.currency = hourly_rate, currency.upper()
    after = {"hourly_rate": _money(hourly_rate), "currency": locked.currency}
    if after == before:
        return locked
    locked.save(update_fields=["hourly_rate", "currency"])
    words = (
        sentence("{by} removed the rate.", by=by)
        if hourly_rate is None
        else sentence(
            "{by} set the rate to {rate} {currency} an hour.", by=by, rate=hourly_rate, currency=locked.currency
        )
    )
    event_record(
        project_id=project.pk,
        verb=Verb.RATE_SET,
        subject=f"project {project.pk}",
        by=by,
        at=at,
        sentence=words,
        before=before,
        after=after,
    )
    return locked


def _money(amount: Decimal | None) -> str:
    return "" if amount is None else f"{amount:.2f}"
