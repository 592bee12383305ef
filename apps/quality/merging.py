"""Which consensus is in force, and labels brought in line with it. The worker computes; here it is asked for and recorded."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.audit.services import english, event_record
from apps.audit.verbs import Verb
from apps.datasets.models import Example
from apps.errors import DomainError
from apps.integrations.ports import Unavailable
from apps.labeling.models import Annotation, ConsensusMethod, ConsensusReport, GoldItem, Label, LabelSource
from apps.labeling.services.auto_labels import auto_audit_settle
from apps.labeling.services.duplicates import duplicates_lock, duplicates_settle
from apps.labeling.services.labels import label_resolve
from apps.labeling.services.suspects import suspect_settle
from apps.live.publish import look_again
from apps.live.topics import News, Topic
from apps.projects import task_types
from apps.projects.models import Project
from apps.projects.selectors import projects_in_use
from apps.rules.consensus import GoldScores, InForce
from apps.rules.sentences import parts_of, sentence, term
from apps.work.alone import alone
from apps.work.jobs import ask, send
from apps.work.names import Job

DEBOUNCE = timedelta(minutes=10)  # comparing 100,000 votes takes seconds; labels should not sway with each answer
CHUNK = 500


class NotCompared(DomainError):
    code = "not_compared"
    http_status = 503


def why_not(project: Project) -> str:
    """What keeps Dawid-Skene from being asked here; empty where nothing does."""
    task = task_types.get(project.task_type)
    if task.structured:
        return sentence(
            "Dawid-Skene merges single labels only, and “{kind}” has answers of several parts.",
            kind=term(english(task.title)),
        )
    return ""


@dataclass(frozen=True)
class ComparedVotes:
    """One answer that counts: neither skipped nor withdrawn, not a reviewer's, not on a planted suggestion."""

    example_id: int
    person_id: int
    label_id: int


def said_of(project: Project) -> list[ComparedVotes]:
    rows = Annotation.objects.filter(project=project, withdrawn_at=None, label__isnull=False)
    rows = rows.exclude(assignment__lane="review").exclude(assignment__planted=True).order_by("example_id", "pk")
    return [
        ComparedVotes(*row)
        for row in rows.values_list("example_id", "annotator_id", "label_id").iterator(chunk_size=10_000)
    ]


def gold_truth(project: Project) -> dict[int, int]:
    """Example to label, of gold examples of one label."""
    items = GoldItem.objects.filter(project=project, label__isnull=False)
    return dict(items.values_list("example_id", "label_id"))


def consensus_ask(*, project_id: int) -> None:
    """Send a worker to compare. Raises NotCompared where nobody would hear it."""
    try:
        send(Job.CONSENSUS, project_id)
    except Unavailable as away:
        raise NotCompared(
            _("The job queue does not answer, so nothing was compared. The figures below are the last ones.")
        ) from away


def consensus_check(*, at: datetime) -> list[int]:
    """Projects with answers newer than their report, or set otherwise since, at most once in DEBOUNCE each."""
    newest = Annotation.objects.values("project").annotate(last=Max("answered_at"), undone=Max("withdrawn_at"))
    moments = {row["project"]: max(row["last"], row["undone"] or row["last"]) for row in newest.order_by()}
    asked = []
    for project in projects_in_use().filter(pk__in=moments).select_related("consensus_report"):
        with alone("the comparison of ways to merge answers", project):
            report = getattr(project, "consensus_report", None)
            waits = report is not None and report.at > at - DEBOUNCE
            if waits or (report is not None and not _has_news(project, report, moments[project.pk])):
                continue
            if ask(Job.CONSENSUS, project.pk):
                asked.append(project.pk)
    return asked


def _has_news(project: Project, report: ConsensusReport, newest: datetime) -> bool:
    set_otherwise = project.queue.consensus != ConsensusMethod.BEST and project.queue.consensus != report.method
    return newest > report.at or set_otherwise


@transaction.atomic
def consensus_record(*, project: Project, found: InForce, scores: GoldScores, at: datetime) -> ConsensusReport:
    """Keep the comparison; a change of the method in force is an entry of the audit trail."""
    before = ConsensusReport.objects.select_for_update(no_key=True).filter(pk=project.pk).first()
    report, _made = ConsensusReport.objects.update_or_create(
        project=project,
        defaults={
            "method": found.method,
            "gold_examples": scores.gold,
            "majority_right": scores.majority_right,
            "dawid_skene_right": scores.dawid_skene_right,
            "sentence": found.sentence[:400],
            "parts": parts_of(found.sentence),
            "at": at,
        },
    )
    if (before.method if before else ConsensusMethod.MAJORITY) != found.method:
        event_record(
            project_id=project.pk,
            verb=Verb.CONSENSUS_CHANGED,
            subject=f"project {project.pk}",
            by=None,
            at=at,
            sentence=found.sentence,
            before={"method": before.method if before else ""},
            after={"method": found.method},
        )
    look_again(Topic.PROJECT.of(project.pk), News.QUALITY)
    return report


def labels_merge(*, project: Project, said: Mapping[int, tuple[int, float]], at: datetime) -> int:
    """Bring labels agreed by people in line with Dawid-Skene: example to (label, posterior). Returns how many changed.

    What a reviewer decided, gold, imported labels and copies of a label are never touched. An example at a time for
    those that change, so that no answer waits for more than one.
    """
    own = Label.objects.filter(project=project, source=LabelSource.CONSENSUS, label__isnull=False)
    have = dict(own.filter(pk__in=list(said)).values_list("pk", "label_id"))
    same = sorted(pk for pk, label_id in have.items() if said[pk][0] == label_id)
    for start in range(0, len(same), CHUNK):
        _confidence_set({pk: said[pk] for pk in same[start : start + CHUNK]})
    other = sorted(set(have) - set(same))
    changed = sum(_label_change(pk, *said[pk], at=at) for pk in other)
    if changed:
        look_again(Topic.PROJECT.of(project.pk), News.LABELS)
    return changed


def _confidence_set(said: Mapping[int, tuple[int, float]]) -> None:
    """Only while the label is still that one."""
    ids, labels, shares = list(said), [x[0] for x in said.values()], [x[1] for x in said.values()]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE labeling_label l SET confidence = m.confidence "
            "FROM unnest(%s::bigint[], %s::bigint[], %s::float[]) AS m(example_id, label_id, confidence) "
            "WHERE l.example_id = m.example_id AND l.label_id = m.label_id AND l.source = 'consensus'",
            [ids, labels, shares],
        )


@transaction.atomic
def _label_change(example_id: int, label_id: int, confidence: float, *, at: datetime) -> bool:
    """Example, then its copies, then the label: the order of an answer."""
    example = Example.objects.select_for_update(no_key=True).get(pk=example_id)
    repeated = duplicates_lock(project_id=example.project_id, digests=[example.content_digest])
    have = Label.objects.filter(pk=example_id, source=LabelSource.CONSENSUS).first()
    if have is None or have.label_id == label_id:
        return False
    lane, shown_at = have.lane, have.shown_at
    have.delete()
    label = Label.objects.create(
        project_id=example.project_id,
        example=example,
        label_id=label_id,
        source=LabelSource.CONSENSUS,
        confidence=confidence,
        holdout=example.holdout,
        lane=lane,
        shown_at=shown_at,
        resolved_at=at,
    )
    duplicates_settle(project_id=example.project_id, digests=repeated, at=at)
    auto_audit_settle(example_id=example_id, label=label, at=at)
    suspect_settle(example_id=example_id, label=label, looked_again=False, at=at)
    return True


def labels_unmerge(*, project: Project, said: Sequence[ComparedVotes], at: datetime) -> int:
    """Back to the majority: labels that Dawid-Skene had weighed are settled from their votes as an answer would."""
    weighed = Label.objects.filter(project=project, source=LabelSource.CONSENSUS, confidence__isnull=False)
    have = dict(weighed.values_list("pk", "label_id"))
    votes: dict[int, Counter[int]] = {pk: Counter() for pk in have}
    for each in said:
        if each.example_id in votes:
            votes[each.example_id][each.label_id] += 1
    other = sorted(pk for pk, label_id in have.items() if not _leads(votes[pk], label_id))
    for example_id in other:
        label_resolve(example_id=example_id, at=at)
    weighed.exclude(pk__in=other).update(confidence=None)
    if other:
        look_again(Topic.PROJECT.of(project.pk), News.LABELS)
    return len(other)


def _leads(votes: Counter[int], label_id: int) -> bool:
    """Alone in front."""
    ranked = votes.most_common(2)
    return bool(ranked) and ranked[0][0] == label_id and (len(ranked) < 2 or ranked[1][1] < ranked[0][1])


def consensus_told(*, project: Project, by: User, at: datetime) -> None:
    """Somebody wants the comparison now."""
    consensus_ask(project_id=project.pk)
    event_record(
        project_id=project.pk,
        verb=Verb.CONSENSUS_ASKED,
        subject=f"project {project.pk}",
        by=by,
        at=at,
        sentence=sentence("{by} had the consensus methods compared on gold", by=by),
    )
