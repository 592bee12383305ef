"""Dawid-Skene beside majority: measured on gold, in force or not, and labels that follow and go back."""

import uuid
from datetime import timedelta

import numpy as np
import pytest
from django.utils import timezone

from apps.accounts.models import User
from apps.audit.models import Event
from apps.datasets.models import Example
from apps.labeling.models import (
    Annotation,
    Assignment,
    AssignmentState,
    ConsensusReport,
    GoldItem,
    Label,
    LabelSource,
    QueueSettings,
)
from apps.labeling.services.labels import label_resolve
from apps.projects.models import Project
from apps.quality import merging
from apps.quality.merging import ComparedVotes
from apps.rules.consensus import LEAST_GOLD
from apps.work.names import Job
from tests.conftest import NOON, person
from tests.workers.at_once import JobsAtOnce
from workers.tasks.consensus import _thinned, consensus, dawid_skene, score

pytestmark = pytest.mark.django_db
HAM, SPAM = 1, 2


def crowd(n: int = 200, *, seed: int = 0) -> tuple[list[ComparedVotes], dict[int, int]]:
    """Three answers each by five people, two good ones and three who call half of the spam ham."""
    rng = np.random.default_rng(seed)
    truth = {e: int(rng.choice([HAM, SPAM])) for e in range(n)}
    said = []
    for e, right in truth.items():
        for who in rng.choice(5, 3, replace=False).tolist():
            slips = rng.random() < (0.03 if who < 2 else 0.55 if right == SPAM else 0.02)
            said.append(ComparedVotes(e, who, (HAM if right == SPAM else SPAM) if slips else right))
    return said, truth


def test_people_who_err_one_way_are_seen_through_where_the_majority_is_not():
    said, truth = crowd()
    found = score(said, truth, votes=3)
    assert found.gold == 200
    assert found.dawid_skene_right > found.majority_right + 10
    assert found.only_dawid_skene - found.only_majority == found.dawid_skene_right - found.majority_right


def test_gold_is_scored_with_as_many_answers_as_any_example_gets():
    said = [ComparedVotes(1, who, HAM) for who in range(20)] + [ComparedVotes(2, 0, SPAM)]
    kept = _thinned(said, {1: HAM}, votes=3)
    assert sum(x.example_id == 1 for x in kept) == 3 and ComparedVotes(2, 0, SPAM) in kept
    assert kept == _thinned(said, {1: HAM}, votes=3)


def test_a_known_answer_teaches_who_errs():
    said, truth = crowd(60, seed=3)
    told = dawid_skene(said, known=truth)
    assert all(told[e][0] == label and told[e][1] > 0.99 for e, label in truth.items())


@pytest.fixture
def people(db: None) -> list[User]:
    return [person(f"p{i}", f"Person {i}") for i in range(5)]


@pytest.fixture
def answered(make_project, people: list[User]) -> Project:
    """The crowd's answers as rows, with the labels that the majority gives."""
    project = make_project(overlap=3, name="Crowd")
    labels = dict(zip((HAM, SPAM), project.labels.all(), strict=True))
    said, truth = crowd()
    examples = Example.objects.bulk_create(
        Example(
            project=project,
            external_id=f"c{e}",
            fields={"text": f"text {e}"},
            holdout=False,
            collected_at=NOON,
            ingested_at=NOON,
        )
        for e in truth
    )
    slots = dict.fromkeys(truth, 0)
    for each in said:
        say(project, examples[each.example_id], people[each.person_id], labels[each.label_id], slots[each.example_id])
        slots[each.example_id] += 1
    for example in examples:
        label_resolve(example_id=example.pk, at=NOON)
    project.truth = {examples[e].pk: labels[label] for e, label in truth.items()}
    return project


def say(project, example, who, label, slot, lane="active"):
    assignment = Assignment.objects.create(
        project=project,
        example=example,
        slot=slot,
        holder=who,
        state=AssignmentState.ANSWERED,
        lane=lane,
        rank=0,
        token="00000000-0000-4000-8000-000000000000",
        leased_at=NOON,
        leased_until=NOON,
    )
    return Annotation.objects.create(
        client_id=uuid.uuid4(),
        project=project,
        example=example,
        assignment=assignment,
        annotator=who,
        label=label,
        shown_at=NOON,
        answered_at=NOON,
        active_ms=4000,
    )


def gold(project: Project, n: int) -> None:
    """The first n examples get known answers; what people said about them stays."""
    for example_id, label in list(project.truth.items())[:n]:
        GoldItem.objects.create(example_id=example_id, project=project, label=label, at=NOON)
        Label.objects.filter(pk=example_id).delete()
        Label.objects.create(
            project=project,
            example_id=example_id,
            label=label,
            source=LabelSource.GOLD,
            holdout=False,
            shown_at=NOON,
            resolved_at=NOON,
        )


def wrong(project: Project) -> int:
    labels = Label.objects.filter(project=project, source=LabelSource.CONSENSUS)
    return sum(label.label_id != project.truth[label.pk].pk for label in labels)


def labels_of(project: Project) -> dict[int, tuple[int, str]]:
    return {x.pk: (x.label_id, x.source) for x in Label.objects.filter(project=project)}


def test_the_best_method_on_gold_takes_over_and_majority_brings_every_label_back(answered: Project) -> None:
    gold(answered, 60)
    before, errors = labels_of(answered), wrong(answered)
    QueueSettings.objects.filter(project=answered).update(consensus="best")
    consensus(answered.pk)
    report = ConsensusReport.objects.get(project=answered)
    assert (report.method, report.gold_examples) == ("dawid-skene", 60)
    assert "On 60 gold examples majority is right" in report.sentence
    assert wrong(answered) < errors / 2
    merged = Label.objects.filter(project=answered, source=LabelSource.CONSENSUS)
    assert merged.filter(confidence=None).count() == 0
    assert labels_of(answered) != before
    assert Event.objects.filter(verb="consensus.changed").count() == 1

    QueueSettings.objects.filter(project=answered).update(consensus="majority")
    consensus(answered.pk)
    assert labels_of(answered) == before
    assert not Label.objects.filter(project=answered).exclude(confidence=None).exists()


def test_what_a_reviewer_decided_gold_imports_and_copies_are_never_touched(answered: Project) -> None:
    """Each made wrong, so that Dawid-Skene would say something else."""
    kept = {}
    sources = (LabelSource.REVIEW, LabelSource.GOLD, LabelSource.IMPORTED, LabelSource.DUPLICATE)
    ham, spam = answered.labels.all()
    for i, label in enumerate(Label.objects.filter(project=answered)[:40]):
        label.label = ham if answered.truth[label.pk] == spam else spam
        label.source = sources[i % 4]
        label.save()
        kept[label.pk] = (label.label_id, label.source)
    QueueSettings.objects.filter(project=answered).update(consensus="dawid-skene")
    consensus(answered.pk)
    now = labels_of(answered)
    assert {pk: now[pk] for pk in kept} == kept
    assert not Label.objects.filter(pk__in=kept).exclude(confidence=None).exists()


def test_too_little_gold_leaves_the_majority_in_force_and_says_so(answered: Project) -> None:
    gold(answered, LEAST_GOLD - 1)
    before = labels_of(answered)
    QueueSettings.objects.filter(project=answered).update(consensus="best")
    consensus(answered.pk)
    report = ConsensusReport.objects.get(project=answered)
    assert report.method == "majority" and "too few to tell, 1 more can" in report.sentence
    assert labels_of(answered) == before


@pytest.mark.parametrize(
    ("task_type", "words"),
    [("text-spans", "answers of several parts"), ("text-classification", "no example has two answers")],
)
def test_where_there_is_nothing_to_merge_it_says_why(make_project, task_type: str, words: str) -> None:
    project = make_project(task_type)
    QueueSettings.objects.filter(project=project).update(consensus="dawid-skene")
    consensus(project.pk)
    report = ConsensusReport.objects.get(project=project)
    assert report.method == "majority" and words in report.sentence


def test_twice_gives_the_same_labels(answered: Project) -> None:
    def kept() -> list[tuple[object, ...]]:
        rows = Label.objects.filter(project=answered).order_by("pk")
        return list(rows.values_list("pk", "label_id", "resolved_at", "confidence"))

    QueueSettings.objects.filter(project=answered).update(consensus="dawid-skene")
    consensus(answered.pk)
    once = kept()
    consensus(answered.pk)
    assert kept() == once


def test_it_is_asked_for_after_new_answers_and_not_more_often_than_every_ten_minutes(
    answered: Project, people: list[User], jobs: JobsAtOnce
) -> None:
    jobs.held.add(Job.CONSENSUS)
    now = timezone.now()
    assert merging.consensus_check(at=now) == [answered.pk]
    jobs.held.clear()
    consensus(answered.pk)
    assert merging.consensus_check(at=now + timedelta(hours=1)) == []  # nobody has answered since
    Annotation.objects.filter(project=answered).update(answered_at=now + timedelta(minutes=1))
    assert merging.consensus_check(at=now + timedelta(minutes=2)) == []  # the last comparison is too young
    jobs.held.add(Job.CONSENSUS)
    assert merging.consensus_check(at=now + timedelta(minutes=20)) == [answered.pk]
    assert (Job.CONSENSUS, (answered.pk,)) in jobs.sent


def test_a_label_that_a_reviewer_decides_meanwhile_is_not_rewritten(answered: Project) -> None:
    ham, spam = answered.labels.all()
    label = Label.objects.filter(project=answered, label=ham).first()
    assert label is not None
    Label.objects.filter(pk=label.pk).update(source=LabelSource.REVIEW)
    assert merging._label_change(label.pk, spam.pk, 0.9, at=NOON) is False
    assert labels_of(answered)[label.pk] == (ham.pk, LabelSource.REVIEW)


def test_the_report_counts_as_many_answers_to_gold_as_the_projects_overlap(
    answered: Project, people: list[User]
) -> None:
    gold(answered, 60)
    for example_id, label in list(answered.truth.items())[:60]:
        example = Example.objects.get(pk=example_id)
        answered_it = Assignment.objects.filter(example=example).values_list("holder", flat=True)
        for slot, who in enumerate((p for p in people if p.pk not in answered_it), start=10):
            say(answered, example, who, label, slot, lane="gold")
    consensus(answered.pk)
    said, truth = merging.said_of(answered), merging.gold_truth(answered)
    report, wanted = ConsensusReport.objects.get(project=answered), score(said, truth, votes=answered.queue.overlap)
    assert (report.majority_right, report.dawid_skene_right) == (wanted.majority_right, wanted.dawid_skene_right)
    assert report.majority_right < score(said, truth, votes=5).majority_right
