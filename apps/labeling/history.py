"""What became of one example: who may look, who answered what on which guess, what it is labeled and why, where it waits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.datasets.erasing import tombstone_of
from apps.datasets.models import Example
from apps.errors import Forbidden, NotFound
from apps.labeling.desk.presenters import SHOWN_AS, why
from apps.labeling.models import (
    Annotation,
    Assignment,
    AssignmentState,
    AutoLabel,
    FrontierItem,
    GoldItem,
    ImportedPrediction,
    Label,
    LabelSource,
    Lane,
    ReturnedLabel,
    Review,
    SetAside,
    Suspect,
)
from apps.labeling.values import value_of
from apps.pages.moments import day_of
from apps.projects import task_types
from apps.projects.models import Project
from apps.projects.selectors import schema_of

ALIKE_NAMED = 20  # examples that show the same, by name


def example_opened(project: Project, example_id: int, *, by: User, sees_all: bool) -> Example:
    """Whoever labels opens what search finds for them: what waits for an answer outside the holdout, and what is theirs.

    Raises NotFound or Forbidden.
    """
    example = Example.objects.filter(project=project, pk=example_id).select_related("ingestion__by").first()
    if example is None:
        gone = tombstone_of(project, example_id) if sees_all else None
        if gone:
            words = _("This example was deleted on {day}: {reason}")
            raise NotFound(words.format(day=day_of(gone.at), reason=gone.reason))
        raise NotFound(_("There is no such example in this project."))
    if not sees_all and not _is_own(example, by) and not _waits(example):
        raise Forbidden(
            _("You see the examples that wait for an answer and those that you have answered; this is neither."),
            project_id=project.pk,
        )
    return example


def _is_own(example: Example, by: User) -> bool:
    mine = (AssignmentState.LEASED, AssignmentState.ANSWERED, AssignmentState.SKIPPED)
    return Assignment.objects.filter(example=example, holder=by, state__in=mine).exists()


def _waits(example: Example) -> bool:
    closed = (Label, SetAside, GoldItem)
    return not example.holdout and not any(model.objects.filter(pk=example.pk).exists() for model in closed)


@dataclass(frozen=True)
class GivenAnswer:
    """One answer as a line. `guess` is what was suggested on it, in words; empty where nothing was."""

    annotation: Annotation
    words: str
    lane: str
    why: str
    guess: str
    guessed_by: str
    taken: bool  # whether the answer is the guess
    planted: bool

    @property
    def stands(self) -> bool:
        return self.annotation.withdrawn_at is None

    @property
    def active_s(self) -> float | None:
        return self.annotation.active_ms / 1000 if self.annotation.active_ms else None


def answers_on(example: Example, project: Project, *, by: User, sees_all: bool) -> tuple[GivenAnswer, ...]:
    """Oldest first, withdrawn ones too; of others only for whoever sees the data, to whom gold is no secret either."""
    rows = Annotation.objects.filter(example=example).select_related("annotator", "label", "assignment__guidelines")
    rows = rows if sees_all else rows.filter(annotator=by, withdrawn_at=None)
    names = schema_of(project).names
    return tuple(_line(row, project, names, sees_all) for row in rows.order_by("answered_at", "pk"))


def _line(row: Annotation, project: Project, names: Sequence[str], sees_all: bool) -> GivenAnswer:
    kind, given = task_types.get(project.task_type).answer, row.assignment
    value = value_of(row)
    guess = given.suggested_value or ({"label": given.suggestion} if given.suggestion else None)
    lane = Lane(given.lane) if sees_all else SHOWN_AS.get(Lane(given.lane), Lane(given.lane))
    return GivenAnswer(
        row,
        kind.words(value) if value else _("Skipped: {reason}").format(reason=row.get_skip_reason_display().lower()),
        str(lane.label),
        why(given.lane, given.reason, blind=guess is None, label_names=names),
        kind.words(given.suggested_value) if given.suggested_value else given.suggestion,  # of one label it is the word
        _guesser(given),
        guess is not None and guess == value,
        sees_all and given.planted,
    )


def _guesser(given: Assignment) -> str:
    if given.suggestion_source:
        return given.suggestion_source
    return _("run {number}").format(number=given.run_number) if given.run_number else ""


@dataclass(frozen=True)
class LabelLineage:
    """The label as it stands and what it rests on. `agreeing` of `votes` answers that count say the same."""

    label: Label
    words: str
    votes: int
    agreeing: int
    copied_from: tuple[Example, ...]  # where it is another example's, which shows the same
    returned: ReturnedLabel | None  # the answer it was said of, where it came back as feedback

    @property
    def source(self) -> str:
        return str(LabelSource(self.label.source).label)

    @property
    def lane(self) -> str:
        return str(Lane(self.label.lane).label) if self.label.lane else ""


def label_on(example: Example, project: Project) -> LabelLineage | None:
    label = Label.objects.filter(pk=example.pk).select_related("label").first()
    if label is None:
        return None
    value, kind = value_of(label), task_types.get(project.task_type).answer
    counted = Annotation.objects.filter(example=example, withdrawn_at=None, skip_reason="")
    votes = [value_of(a) for a in counted.exclude(assignment__lane=Lane.GOLD).select_related("label")]
    same: tuple[Example, ...] = ()
    if label.source == LabelSource.DUPLICATE:
        twins = Example.objects.filter(project=project, content_digest=example.content_digest, label__isnull=False)
        same = tuple(twins.exclude(label__source=LabelSource.DUPLICATE).defer("fields")[:ALIKE_NAMED])
    assert value is not None, "a constraint keeps one of the two"
    came_back = label.source == LabelSource.FEEDBACK
    returned = ReturnedLabel.objects.filter(example=example).first() if came_back else None
    return LabelLineage(label, kind.words(value), len(votes), sum(v == value for v in votes), same, returned)


@dataclass(frozen=True)
class WaitingSlot:
    lane: str
    why: str
    rank: int
    held: bool
    queued_at: datetime


def waiting_on(example: Example, project: Project, *, at: datetime) -> tuple[WaitingSlot, ...]:
    """The slots that wait for an answer, or are with somebody right now."""
    names = schema_of(project).names
    return tuple(
        WaitingSlot(
            str(Lane(item.lane).label),
            why(item.lane, item.reason, blind=False, label_names=names),
            item.rank,
            item.leased_until is not None and item.leased_until >= at,
            item.queued_at,
        )
        for item in FrontierItem.objects.filter(example=example).order_by("slot")
    )


@dataclass(frozen=True)
class ExampleChecks:
    """What stands around the answers: reviews and doubts newest first, gold, the model's own label, set aside or not."""

    reviews: tuple[Review, ...]
    doubts: tuple[Suspect, ...]
    gold: GoldItem | None
    gold_words: str
    auto: AutoLabel | None
    aside: SetAside | None


def checks_on(example: Example, project: Project) -> ExampleChecks:
    gold = GoldItem.objects.filter(pk=example.pk).select_related("label", "by").first()
    known = value_of(gold) if gold else None
    return ExampleChecks(
        tuple(Review.objects.filter(example=example).select_related("decided_by")),
        tuple(Suspect.objects.filter(example=example).select_related("given", "expected").order_by("-found_at")),
        gold,
        task_types.get(project.task_type).answer.words(known) if known else "",
        AutoLabel.objects.filter(pk=example.pk).select_related("label", "batch").first(),
        SetAside.objects.filter(pk=example.pk).first(),
    )


@dataclass(frozen=True)
class OutsideGuess:
    model: str
    words: str
    confidence: float | None
    at: datetime


def outside_guesses_on(example: Example, project: Project) -> tuple[OutsideGuess, ...]:
    """What models outside the console said of it, newest first."""
    kind = task_types.get(project.task_type).answer
    rows = ImportedPrediction.objects.filter(example=example).select_related("label").order_by("-at", "-pk")
    return tuple(OutsideGuess(r.model_version, kind.words(v), r.confidence, r.at) for r in rows if (v := value_of(r)))
