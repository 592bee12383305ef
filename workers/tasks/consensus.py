"""Compare majority with Dawid-Skene on gold, and bring labels in line with the one in force: fetch, compute, record."""

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence

from django.utils import timezone

from apps.projects.selectors import project_of
from apps.quality.merging import (
    ComparedVotes,
    consensus_record,
    gold_truth,
    labels_merge,
    labels_unmerge,
    said_of,
    why_not,
)
from apps.rules.answers import ANSWER_KINDS
from apps.rules.consensus import DAWID_SKENE, GoldScores, in_force
from apps.rules.settling import settle
from apps.work.jobs import task
from apps.work.names import Job

ITERATIONS = 100  # of EM; on 100,000 votes it settles within 20
SEED = 11  # of which answers to a gold example count
Posteriors = dict[int, tuple[int, float]]


@task(Job.CONSENSUS)
def consensus(project_id: int) -> None:
    """Twice does no harm: the same votes give the same labels."""
    project = project_of(project_id)
    if project.archived_at is not None:
        return
    refused = why_not(project)
    said = [] if refused else said_of(project)
    if not refused and not _several(said):
        refused = "no example has two answers yet, so there is nothing to merge."
    truth = gold_truth(project)
    scores = GoldScores(0, 0, 0) if refused else score(said, truth, votes=max(project.queue.overlap, 1))
    found = in_force(project.queue.consensus, scores, why_not=refused)
    consensus_record(project=project, found=found, scores=scores, at=timezone.now())
    if found.method == DAWID_SKENE:
        several = _several(said)
        posteriors = dawid_skene(said, known=truth)
        labels_merge(project=project, said={k: v for k, v in posteriors.items() if k in several}, at=timezone.now())
    else:
        labels_unmerge(project=project, said=said, at=timezone.now())


def _several(said: Sequence[ComparedVotes]) -> set[int]:
    """Examples with two answers or more: a single one has nothing to be merged with."""
    people: dict[int, set[int]] = defaultdict(set)
    for each in said:
        people[each.example_id].add(each.person_id)
    return {example_id for example_id, who in people.items() if len(who) > 1}


def score(said: Sequence[ComparedVotes], truth: Mapping[int, int], *, votes: int) -> GoldScores:
    """Both methods on gold examples with as many answers as any other example gets: everybody answers gold, and with
    fifty answers no method errs. Dawid-Skene is not told the known answers. A tie is not right.
    """
    kept = _thinned(said, truth, votes)
    posteriors = dawid_skene(kept) if kept else {}
    answers: dict[int, list[int]] = defaultdict(list)
    for each in kept:
        if each.example_id in truth:
            answers[each.example_id].append(each.label_id)
    by_majority = {e: _majority(given) == str(truth[e]) for e, given in answers.items()}
    by_skene = {e: posteriors[e][0] == truth[e] for e in answers}
    return GoldScores(
        len(answers),
        sum(by_majority.values()),
        sum(by_skene.values()),
        sum(by_majority[e] and not by_skene[e] for e in answers),
        sum(by_skene[e] and not by_majority[e] for e in answers),
    )


def _thinned(said: Sequence[ComparedVotes], truth: Mapping[int, int], votes: int) -> list[ComparedVotes]:
    """Of each gold example only so many answers, drawn by chance."""
    kept: list[ComparedVotes] = []
    drawn: dict[int, list[ComparedVotes]] = defaultdict(list)
    for each in said:
        (drawn[each.example_id] if each.example_id in truth else kept).append(each)
    chance = random.Random(SEED)
    for example_id in sorted(drawn):
        given = drawn[example_id]
        kept.extend(chance.sample(given, min(votes, len(given))))
    return kept


def dawid_skene(said: Sequence[ComparedVotes], *, known: Mapping[int, int] | None = None) -> Posteriors:
    """Example to its most probable label and that probability (Dawid and Skene 1979, by crowd-kit).

    With `known` the people's error rates are learned from those answers as well.
    """
    import pandas as pd
    from crowdkit.aggregation import DawidSkene

    votes = pd.DataFrame(
        [(x.example_id, x.person_id, x.label_id) for x in said], columns=["task", "worker", "label"]
    ).drop_duplicates(["task", "worker"], keep="last")
    present = set(votes["task"])
    given = {e: label for e, label in (known or {}).items() if e in present and label in set(votes["label"])}
    model = DawidSkene(n_iter=ITERATIONS)
    model.fit(votes, true_labels=pd.Series(given, dtype="int64") if given else None)
    assert model.probas_ is not None
    best, shares = model.probas_.idxmax(axis=1), model.probas_.max(axis=1)
    return {int(e): (int(best[e]), float(shares[e])) for e in best.index}


def _majority(labels: Sequence[int]) -> str | None:
    """The label by the rule that settles answers where majority is in force; None where they are torn."""
    votes = [{"label": str(label)} for label in labels]
    found = settle(votes, kind=ANSWER_KINDS["choice"], needed=1, review_at_most=0.0)
    return str(found.value["label"]) if found.value else None
