"""Reviews, doubted labels, the consensus in force and the API: what is said in each state."""

from datetime import timedelta

import pytest
from django.urls import reverse

from apps.audit.models import Event
from apps.integrations import wiring
from apps.labeling.models import ConsensusReport, FrontierItem, Label, LabelSource, Lane, Review, Suspect
from apps.quality.services import Doubt, suspects_record
from apps.work.names import Job
from tests.conftest import NOON
from tests.rows import Sent


def at(name, project, *more):
    return reverse(f"quality:{name}", args=[project.pk, *more])


def review(about, state="open", **more):
    return Review.objects.create(
        project=about.project, example=about, state=state, why="disagreement", agreement=0.5, opened_at=NOON, **more
    )


def decided(about, rosa, kind, note=""):
    return review(about, "decided", decided_by=rosa, decided_at=NOON + timedelta(hours=1), error_kind=kind, note=note)


def test_open_reviews_wait_with_their_reason_and_reviewers_can_start(as_, project, examples, rosa, lin):
    review(examples[0])
    page = as_(rosa).get(at("reviews", project)).content.decode()
    assert "Start reviewing" in page and "?lane=review" in page
    assert "The answers disagree" in page and "50 %" in page and "words 0" in page
    assert "Start reviewing" not in as_(lin).get(at("reviews", project)).content.decode()


def test_findings_are_counted_and_gaps_go_to_whoever_writes_the_guidelines(as_, project, examples, rosa, mona, lin):
    decided(examples[0], rosa, "slip")
    decided(examples[1], rosa, "guideline-gap", "What of newsletters?")
    decided(examples[2], rosa, "slip")
    page = as_(mona).get(at("reviews", project)).content.decode()
    assert page.index("Slip:") < page.index("Guideline gap:")
    assert "What of newsletters?" in page and "Write the guidelines" in page
    assert "Write the guidelines" not in as_(lin).get(at("reviews", project)).content.decode()
    page = as_(mona).get(at("reviews", project), {"state": "decided"}).content.decode()
    assert page.count("Slip: somebody pressed the wrong key") == 3  # once in the counts
    assert "Nobody has decided" not in page


def test_flags_and_comments_are_listed_with_their_answers(as_, project, examples, said, ada, mona):
    said(ada, examples[0], "spam", flagged=True, comment="<b>Is this spam?</b>")
    said(ada, examples[1], "ham", comment="I guessed.")
    said(ada, examples[2], "ham")
    page = as_(mona).get(at("reviews", project)).content.decode()
    assert "Flagged" in page and "&lt;b&gt;Is this spam?" in page and "I guessed." in page and "words 2" not in page


def test_without_reviews_the_page_says_so(as_, project, mona):
    page = as_(mona).get(at("reviews", project)).content.decode()
    assert "Nothing needs a decision" in page and "Nobody has flagged" in page
    assert (
        "Nobody has decided a review yet"
        in as_(mona).get(at("reviews", project), {"state": "decided"}).content.decode()
    )


@pytest.fixture
def doubts(project, examples):
    ham, spam = project.labels.all()
    for each in examples:
        Label.objects.create(
            project=project,
            example=each,
            label=ham,
            source=LabelSource.IMPORTED,
            holdout=False,
            shown_at=NOON,
            resolved_at=NOON,
        )
    found = [Doubt(e.pk, ham.pk, spam.pk, 0.01 * (i + 1)) for i, e in enumerate(examples)]
    return suspects_record(
        project=project, run_number=4, doubts=found, sentence="Confident learning doubts 12 labels", at=NOON
    )


def test_doubted_labels_wait_in_order_until_somebody_has_looked(as_, project, doubts, mona):
    page = as_(mona).get(at("doubts", project)).content.decode()
    assert "Nobody has looked yet" in page and page.index("words 0") < page.index("words 1<")
    assert FrontierItem.objects.filter(lane=Lane.RELABEL).count() == 12


def test_the_precision_is_told_with_its_interval_once_looked_at(as_, project, doubts, mona):
    for i, suspect in enumerate(doubts[:10]):
        Suspect.objects.filter(pk=suspect.pk).update(state="corrected" if i < 8 else "stands", settled_at=NOON)
    page = as_(mona).get(at("doubts", project), {"state": "stands"}).content.decode()
    assert "of 10 looked at again; 49 % to 94 %" in page and "80 %" in page
    assert "words 8" in page and "words 0<" not in page


def test_a_label_that_changed_meanwhile_or_was_decided_is_not_doubted(project, examples):
    ham, spam = project.labels.all()
    for each, label, source in zip(examples, (spam, ham, ham), ("imported", "review", "gold"), strict=False):
        Label.objects.create(
            project=project, example=each, label=label, source=source, holdout=False, shown_at=NOON, resolved_at=NOON
        )
    found = [Doubt(e.pk, ham.pk, spam.pk, 0.1) for e in examples[:4]]
    assert suspects_record(project=project, run_number=1, doubts=found, sentence="x", at=NOON) == []
    assert not Suspect.objects.exists() and not FrontierItem.objects.exists()


def test_before_a_run_the_page_says_what_it_takes(as_, project, make_project, mona):
    assert "After each run" in as_(mona).get(at("doubts", project)).content.decode()
    spans = make_project("text-spans", ("PER",))
    assert "is not such a task" in as_(mona).get(at("doubts", spans)).content.decode()


def test_compare_now_sends_a_worker_and_is_on_record(as_, project, mona, monkeypatch):
    sent = Sent([])
    monkeypatch.setattr(wiring, "jobs", sent)
    assert as_(mona).post(at("compare", project)).status_code == 302
    assert sent.jobs == [(Job.CONSENSUS, (project.pk,))]
    assert Event.objects.first().verb == "consensus.asked"


def test_without_a_job_queue_compare_refuses_in_words_and_records_nothing(as_, project, mona, monkeypatch):
    monkeypatch.setattr(wiring, "jobs", Sent([], away=True))
    before = Event.objects.count()
    answer = as_(mona).post(at("compare", project))
    assert answer.status_code == 503 and "job queue does not answer" in answer.content.decode()
    assert Event.objects.count() == before


def test_the_method_in_force_stands_beside_what_it_was_measured_by(as_, project, mona):
    page = as_(mona).get(at("overview", project)).content.decode()
    assert "Nobody has compared it with Dawid-Skene yet" in page and "Right on gold</th>" not in page
    ConsensusReport.objects.create(
        project=project,
        method="dawid-skene",
        gold_examples=40,
        majority_right=30,
        dawid_skene_right=38,
        sentence="Dawid-Skene is in force.",
        at=NOON,
    )
    page = as_(mona).get(at("overview", project)).content.decode()
    assert "30 of 40" in page and "38 of 40" in page and page.count("In force") == 1


def test_the_api_tells_the_same_with_reasons_instead_of_numbers(as_, project, examples, said, mona, ada, grace, rosa):
    path = f"/api/v1/projects/{project.pk}/quality/"
    empty = as_(mona).get(path).json()
    assert empty["agreement"]["value"] is None and empty["agreement"]["reason"] == "Nobody has answered yet."
    assert empty["consensus"] is None and empty["doubts"]["precision"]["value"] is None
    for i, each in enumerate(examples):
        said(ada, each, "ham" if i < 6 else "spam", lane=Lane.GOLD, right=True)
        said(grace, each, "ham" if i < 7 else "spam", lane=Lane.GOLD, right=i != 6)
    decided(examples[0], rosa, "slip")
    found = as_(mona).get(path).json()
    assert found["agreement"]["low"] < found["agreement"]["value"] < found["agreement"]["high"]
    assert (found["gold"]["times"], found["gold"]["of"]) == (23, 24)
    assert found["reviews"]["kinds"]["slip"] == 1 and [x["name"] for x in found["labels"]] == ["ham", "spam"]
    people = as_(mona).get(f"{path}people/").json()["people"]
    assert [p["name"] for p in people] == ["Ada", "Grace"] and people[1]["gold"]["times"] == 11
    assert as_(ada).get(f"{path}people/").status_code == 403
