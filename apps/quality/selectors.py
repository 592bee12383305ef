"""Read what is known of the answers' quality beside agreement: gold, reviews, doubted labels, the consensus in force."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, F, Q, QuerySet

from apps.audit.models import Event
from apps.audit.services import project_scope
from apps.audit.verbs import Verb
from apps.datasets.models import Example
from apps.labeling.models import (
    Annotation,
    ConsensusReport,
    ErrorKind,
    GoldItem,
    Label,
    Pause,
    Review,
    ReviewState,
    Suspect,
    SuspectState,
)
from apps.labeling.values import value_of
from apps.projects import task_types
from apps.projects.models import Project
from apps.quality.merging import why_not
from apps.rules.agreement import Share, share_of
from apps.rules.answers import Value

FOUND = 8  # examples that a search for gold offers: each is a form of two lines
NOTES = 50  # newest flags and comments
GAPS = 20


@dataclass(frozen=True)
class Doubts:
    """What became of doubted labels. `precision` is corrected of all that somebody looked at again."""

    waiting: int
    corrected: int
    stands: int
    moot: int

    @property
    def precision(self) -> Share:
        return share_of(self.corrected, self.corrected + self.stands)

    @property
    def all(self) -> int:
        return self.waiting + self.corrected + self.stands + self.moot


def doubts_of(project: Project) -> Doubts:
    rows = Suspect.objects.filter(project=project).order_by().values_list("state").annotate(n=Count("pk"))
    times = dict(rows.values_list("state", "n"))
    return Doubts(
        *(times.get(s, 0) for s in (SuspectState.OPEN, SuspectState.CORRECTED, SuspectState.STANDS, SuspectState.MOOT))
    )


def last_doubted(project: Project) -> Event | None:
    """When labels were last looked through, and what the sentence was."""
    return Event.objects.filter(scope=project_scope(project.pk), verb=Verb.LABELS_DOUBTED).first()


@dataclass(frozen=True)
class DoubtedLabel:
    """One example in a list, with what is said about it."""

    example: Example
    summary: str
    words: str = ""
    expected: str = ""


def suspects_of(project: Project, *, state: str) -> QuerySet[Suspect]:
    """The most doubtful first while they wait, the last settled first afterwards."""
    rows = Suspect.objects.filter(project=project, state=state).select_related("example", "given", "expected")
    return rows.order_by("quality", "pk") if state == SuspectState.OPEN else rows.order_by("-settled_at", "-pk")


@dataclass(frozen=True)
class Consensus:
    """The method in force and what it was measured by; `report` is None until a worker has compared."""

    report: ConsensusReport | None
    setting: str
    why_not: str

    @property
    def majority(self) -> Share | None:
        return share_of(self.report.majority_right, self.report.gold_examples) if self.report else None

    @property
    def dawid_skene(self) -> Share | None:
        return share_of(self.report.dawid_skene_right, self.report.gold_examples) if self.report else None

    @property
    def compared(self) -> bool:
        return self.report is not None and self.report.gold_examples > 0


def consensus_of(project: Project) -> Consensus:
    report = ConsensusReport.objects.filter(project=project).first()
    return Consensus(report, project.queue.get_consensus_display(), why_not(project))


@dataclass(frozen=True)
class Reviews:
    """Counts by state; `kinds` says what reviewers found, every kind named, most frequent first."""

    open: int
    decided: int
    closed: int
    kinds: tuple[tuple[str, str, int], ...]


def reviews_of(project: Project) -> Reviews:
    rows = Review.objects.filter(project=project)
    counted = rows.aggregate(**{s: Count("pk", filter=Q(state=s)) for s in ReviewState.values})
    kinds = dict(
        rows.filter(state=ReviewState.DECIDED)
        .order_by()
        .values_list("error_kind")
        .annotate(n=Count("pk"))
        .values_list("error_kind", "n")
    )
    named = [(str(kind.value), str(kind.label), kinds.get(kind.value, 0)) for kind in ErrorKind]
    return Reviews(counted["open"], counted["decided"], counted["closed"], tuple(sorted(named, key=lambda k: -k[2])))


def reviews_listed(project: Project, *, state: str) -> QuerySet[Review]:
    """Open ones longest waiting first, as the queue offers them; decided ones newest first."""
    rows = Review.objects.filter(project=project, state=state).select_related("example", "decided_by")
    return rows.order_by("opened_at", "pk") if state == ReviewState.OPEN else rows.order_by("-decided_at", "-pk")


def guideline_gaps(project: Project) -> list[Review]:
    """What reviewers found the guidelines silent about, newest first."""
    rows = Review.objects.filter(project=project, state=ReviewState.DECIDED, error_kind=ErrorKind.GUIDELINE_GAP)
    return list(rows.select_related("example", "decided_by").order_by("-decided_at", "-pk")[:GAPS])


def remarks_of(project: Project) -> list[Annotation]:
    """Newest answers that somebody flagged or wrote something to."""
    said = Annotation.objects.filter(project=project, withdrawn_at=None).filter(Q(flagged=True) | ~Q(comment=""))
    return list(said.select_related("example", "annotator", "label").order_by("-pk")[:NOTES])


def words_of(row: Annotation | Label | GoldItem, project: Project) -> str:
    value = value_of(row)
    return task_types.get(project.task_type).answer.words(value) if value is not None else ""


def summary_of(example: Example, project: Project) -> str:
    return task_types.get(project.task_type).summary(example.fields, example.external_id)


def gold_of(project: Project) -> QuerySet[GoldItem]:
    """With how often each was answered right and wrong, the most often wrong first."""
    judged = Q(example__annotations__right__isnull=False, example__annotations__withdrawn_at=None)
    rows = GoldItem.objects.filter(project=project).select_related("example", "label", "by")
    counted = rows.annotate(
        asked=Count("example__annotations", filter=judged),
        right_times=Count("example__annotations", filter=judged & Q(example__annotations__right=True)),
    )
    return counted.annotate(wrong_times=F("asked") - F("right_times")).order_by("-wrong_times", "-asked", "example_id")


@dataclass(frozen=True)
class GoldSums:
    items: int
    share: Share


def gold_sums(project: Project) -> GoldSums:
    judged = Annotation.objects.filter(project=project, withdrawn_at=None, right__isnull=False)
    found = judged.aggregate(all=Count("pk"), right=Count("pk", filter=Q(right=True)))
    return GoldSums(GoldItem.objects.filter(project=project).count(), share_of(found["right"], found["all"]))


def gold_candidates(project: Project, text: str) -> list[tuple[Example, Value | None, str, str]]:
    """Examples outside the holdout that are not gold: by id or words, those with a label first.

    Each with its value if it is labeled, that in words, and its summary.
    """
    rows = Example.objects.filter(project=project, holdout=False, gold=None)
    found = rows.filter(Q(external_id__icontains=text) | Q(fields__text__icontains=text))
    listed = found.select_related("label__label").order_by(F("label__resolved_at").desc(nulls_last=True), "pk")[:FOUND]
    return [_candidate(example, project) for example in listed]


def _candidate(example: Example, project: Project) -> tuple[Example, Value | None, str, str]:
    label: Label | None = getattr(example, "label", None)
    value = value_of(label) if label else None
    words = words_of(label, project) if label else ""
    return example, value, words, summary_of(example, project)


def candidate_value(project: Project, example_id: int) -> Value | None:
    """What the example's label says now; None while it has none."""
    label = Label.objects.filter(project=project, pk=example_id).select_related("label").first()
    return value_of(label) if label else None


def pauses_of(project: Project, user_id: int) -> list[Pause]:
    """All of a person's, newest first."""
    rows = Pause.objects.filter(project=project, person_id=user_id).select_related("lifted_by", "person")
    return list(rows.order_by("-at"))


def oldest_review(project: Project) -> datetime | None:
    rows = Review.objects.filter(project=project, state=ReviewState.OPEN).order_by("opened_at")
    return rows.values_list("opened_at", flat=True).first()
