"""Labels that came back become examples: mature ones, of requests whose content was kept, outside the holdout, once."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import User
from apps.datasets.models import DeadLetter, Example
from apps.integrations import wiring
from apps.labeling.models import Label, LabelSource, ReturnedLabel
from apps.loop import returned
from apps.loop import services as loop
from apps.loop.closing.services import project_archive
from apps.loop.returned import ReturnedLost, returned_sweep, returned_take
from apps.monitoring.feedback.services import feedback_take
from apps.monitoring.feedback.settings import feedback_settings_set
from apps.monitoring.log.services import AskedRow, LoggedPrediction, predictions_record
from apps.monitoring.models import AskedPayload, Feedback, FeedbackSettings
from apps.projects.models import Project
from tests import rows

HOUR = timedelta(hours=1)


@pytest.fixture
def fed(project: Project, mona: User, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project that makes examples of labels that come back for answers of at least an hour ago."""
    monkeypatch.setattr(wiring, "jobs", rows.Sent([]))
    project.holdout_share = 0.5
    project.save(update_fields=["holdout_share"])
    feedback_settings_set(
        project=project, by=mona, at=timezone.now(), maturity_hours=1, payloads="all", becomes_examples=True
    )
    return project


def came_back(project: Project, *texts: str, hours_ago: float = 2, label: str = "ham", **more: Any) -> None:
    at = timezone.now() - hours_ago * HOUR
    asked = [AskedRow({"text": text}) if more.get("kept", True) else None for text in texts]
    predictions_record(
        rows=[
            LoggedPrediction(project.pk, f"q-{text}", at, 3, "spam", 0.9, 5.0, asked=row)
            for text, row in zip(texts, asked, strict=True)
        ]
    )
    said(project, *texts, label=label, at=at)


def said(project: Project, *texts: str, label: str, at: Any = None) -> None:
    pieces = [{"inference_id": f"q-{text}", "label": label} for text in texts]
    feedback_take(project=project, rows=pieces, at=at or timezone.now())


def labels(project: Project) -> dict[str, tuple[str, str]]:
    found = Label.objects.filter(project=project).select_related("label", "example")
    return {label.example.external_id: (label.label.name, label.source) for label in found}


def test_a_label_that_came_back_is_an_example_with_that_label_and_its_way_back(fed: Project) -> None:
    came_back(fed, "where is it")
    assert returned_take(project_id=fed.pk) == 1
    example = Example.objects.get(project=fed)
    assert (example.external_id, example.fields) == ("q-where is it", {"text": "where is it"})
    assert labels(fed) == {"q-where is it": ("ham", LabelSource.FEEDBACK)}
    way = ReturnedLabel.objects.get(example=example)
    assert (way.inference_id, way.model_number, way.predicted) == ("q-where is it", 3, "spam")
    assert returned_take(project_id=fed.pk) == 0 and Example.objects.filter(project=fed).count() == 1


def test_what_came_back_is_never_put_into_the_holdout(fed: Project) -> None:
    came_back(fed, *(f"text {n}" for n in range(40)))
    assert returned_take(project_id=fed.pk) == 40
    assert not Example.objects.filter(project=fed, holdout=True).exists()
    assert not Label.objects.filter(project=fed, holdout=True).exists()


def test_what_shows_the_same_as_the_holdout_is_left_out(fed: Project) -> None:
    sent = [{"id": f"e{n}", "text": f"text {n}"} for n in range(20)]
    loop.batch_take(project=fed, rows=sent, source="test", by=None, at=timezone.now())
    held = set(Example.objects.filter(project=fed, holdout=True).values_list("external_id", flat=True))
    assert 3 < len(held) < 17
    came_back(fed, *(f"text {n}" for n in range(20)))
    returned_take(project_id=fed.pk)
    assert not Label.objects.filter(project=fed, holdout=True).exists()
    assert Feedback.objects.filter(returned="left-out").count() == len(held)
    assert Example.objects.filter(project=fed, holdout=True).count() == len(held)


def test_young_answers_and_those_whose_content_was_not_kept_make_none(fed: Project) -> None:
    came_back(fed, "young", hours_ago=0.5)
    came_back(fed, "gone", kept=False)
    assert returned_take(project_id=fed.pk) == 0
    assert dict(Feedback.objects.values_list("inference_id", "returned")) == {"q-young": "", "q-gone": "unasked"}


def test_a_correction_changes_the_label_and_what_people_said_stands(fed: Project) -> None:
    came_back(fed, "a", "b")
    returned_take(project_id=fed.pk)
    first = ReturnedLabel.objects.get(inference_id="q-a").pk
    Label.objects.filter(example__external_id="q-b").update(source=LabelSource.REVIEW)
    said(fed, "a", "b", label="spam")
    assert returned_take(project_id=fed.pk) == 1
    assert labels(fed) == {"q-a": ("spam", LabelSource.FEEDBACK), "q-b": ("ham", LabelSource.REVIEW)}
    assert ReturnedLabel.objects.get(inference_id="q-a").pk > first


def test_each_row_of_a_request_is_an_example_of_its_own(fed: Project) -> None:
    at = timezone.now() - 2 * HOUR
    answers = [
        LoggedPrediction(fed.pk, "q", at, 3, "ham", 0.9, 5.0, item=n, asked=AskedRow({"text": f"row {n}"}))
        for n in range(2)
    ]
    predictions_record(rows=answers)
    pieces = [{"inference_id": "q", "item": n, "label": name} for n, name in enumerate(("spam", "ham"))]
    feedback_take(project=fed, rows=pieces, at=at)
    returned_take(project_id=fed.pk)
    assert labels(fed) == {"q#0": ("spam", "feedback"), "q#1": ("ham", "feedback")}


def test_what_makes_no_example_is_refused_with_its_reason_and_the_others_are_taken(fed: Project) -> None:
    came_back(fed, "good", "x" * 60)
    AskedPayload.objects.filter(inference_id__startswith="q-x").update(row={"text": ""})
    assert returned_take(project_id=fed.pk) == 1
    assert "empty" in DeadLetter.objects.get().reason
    assert sorted(Feedback.objects.values_list("returned", flat=True)) == ["example", "left-out"]


def test_a_worker_that_dies_between_two_parts_leaves_the_rest_to_another(
    fed: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(returned, "PART", 2)
    came_back(fed, *(f"text {n}" for n in range(5)))
    whole, calls = returned._take, []

    def dies(project: Project, part: Any, at: Any) -> int:
        calls.append(len(part))
        if len(calls) == 2:
            raise KeyboardInterrupt
        return whole(project, part, at)

    monkeypatch.setattr(returned, "_take", dies)
    with pytest.raises(KeyboardInterrupt):
        returned_take(project_id=fed.pk)
    assert Label.objects.filter(project=fed).count() == 2
    monkeypatch.setattr(returned, "_take", whole)
    assert returned_take(project_id=fed.pk) == 3
    assert Label.objects.filter(project=fed).count() == ReturnedLabel.objects.count() == 5


def test_one_worker_at_a_time(fed: Project) -> None:
    came_back(fed, "a")
    FeedbackSettings.objects.update(leased_until=timezone.now() + HOUR)
    with pytest.raises(ReturnedLost):
        returned_take(project_id=fed.pk)
    FeedbackSettings.objects.update(leased_until=timezone.now() - HOUR)
    assert returned_take(project_id=fed.pk) == 1


def test_the_sweep_asks_once_a_minute_and_not_for_the_archive(fed: Project, mona: User) -> None:
    at = timezone.now()
    assert returned_sweep(at=at) == []
    came_back(fed, "a")
    assert returned_sweep(at=at) == [fed.pk]
    assert returned_sweep(at=at + timedelta(seconds=5)) == []
    project_archive(project=fed, by=mona, at=at)
    assert returned_sweep(at=at + HOUR) == []


def test_the_examples_page_leads_back_to_the_request(fed: Project, lin: User, client: Client) -> None:
    came_back(fed, "a")
    returned_take(project_id=fed.pk)
    client.force_login(lin)
    page = client.get(reverse("examples:page", args=[fed.pk, Example.objects.get(project=fed).pk]))
    assert "Came back for an answer" in page.text and '<code class="break">q-a</code>' in page.text
    assert "v3 had answered “spam”" in page.text
