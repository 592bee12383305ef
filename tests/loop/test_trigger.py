"""Runs that start by themselves."""

import uuid
from datetime import datetime, timedelta
from importlib import import_module

import pytest
from django.apps import apps
from django.db import IntegrityError
from django.utils import timezone

from apps.accounts.models import User
from apps.labeling.models import Annotation, Assignment, AssignmentState, Label
from apps.loop import services as loop
from apps.projects.models import Project
from apps.training.models import Run, RunState, RunTrigger, Trigger
from apps.training.selectors import guesses_since
from apps.training.services.triggers import trigger_set
from tests import rows
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def labeled(project: Project, count: int, *, at: datetime) -> None:
    rows = [{"id": f"{at:%H%M%S}-{i}", "text": f"text {i}", "label": ("ham", "spam")[i % 2]} for i in range(count)]
    loop.batch_take(project=project, rows=rows, source="test", by=None, at=at)


def test_a_project_whose_trigger_nobody_touched_starts_a_run_after_its_hundred_labels(
    project: Project, noon: datetime
) -> None:
    labeled(project, 150, at=noon)
    fresh = Label.objects.filter(project=project, holdout=False).count()
    assert fresh >= 100
    started = loop.triggers_check(at=timezone.now() + timedelta(minutes=1))
    assert [run.state for run in started] == [RunState.QUEUED]
    assert started[0].trigger.startswith(f"{fresh} new labels; it starts at 100.")
    assert started[0].trigger_type == RunTrigger.LABELS


def test_too_few_labels_start_nothing(project: Project, noon: datetime) -> None:
    labeled(project, 40, at=noon)
    assert loop.triggers_check(at=timezone.now() + timedelta(minutes=1)) == []


def test_a_trigger_that_was_switched_off_starts_nothing(project: Project, noon: datetime, lin: User) -> None:
    labeled(project, 150, at=noon)
    trigger_set(project=project, enabled=False, new_labels=10, debounce_s=0, kind="full", by=lin, at=noon)
    assert loop.triggers_check(at=timezone.now() + timedelta(minutes=1)) == []


def test_an_open_run_keeps_the_trigger_waiting(project: Project, noon: datetime) -> None:
    labeled(project, 150, at=noon)
    assert len(loop.triggers_check(at=timezone.now() + timedelta(minutes=1))) == 1
    assert loop.triggers_check(at=timezone.now() + timedelta(minutes=5)) == []


def test_a_run_that_failed_is_not_started_again_and_again_by_the_same_labels(project: Project, noon: datetime) -> None:
    labeled(project, 150, at=noon)
    loop.triggers_check(at=timezone.now() + timedelta(minutes=1))
    Run.objects.filter(project=project).update(state=RunState.FAILED)
    assert loop.triggers_check(at=timezone.now() + timedelta(hours=1)) == []


def guessed(
    project: Project,
    by: User,
    contradicted: int,
    *,
    of: int,
    confidence: float = 0.9,
    run_number: int = 1,
    at: datetime = NOON + MINUTE,
    suggestion_shown: bool = True,
) -> None:
    """`of` answers of this person to examples that the model calls ham, `contradicted` of them spam."""
    labels = {label.name: label for label in project.labels.all()}
    reason = {"suggestion": "ham", "suggestion_confidence": confidence}
    for i, example in enumerate(rows.labeled(project, of, held=0, at=at)):
        assignment = Assignment.objects.create(
            project=project,
            example=example,
            slot=0,
            holder=by,
            state=AssignmentState.ANSWERED,
            token=uuid.uuid4(),
            leased_at=at,
            leased_until=at,
            lane="active",
            rank=i,
            reason=reason,
            run_number=run_number,
            suggestion="ham" if suggestion_shown else "",
        )
        Annotation.objects.create(
            client_id=uuid.uuid4(),
            project=project,
            example=example,
            assignment=assignment,
            annotator=by,
            label=labels["spam" if i < contradicted else "ham"],
            shown_at=at,
            answered_at=at,
            active_ms=3000,
        )


def on_disagreement(project: Project, lin: User) -> None:
    trigger_set(
        project=project,
        enabled=True,
        new_labels=None,
        disagreement_points=10,
        debounce_s=0,
        kind="full",
        by=lin,
        at=NOON,
    )


def test_people_who_contradict_the_model_start_a_run(project: Project, ada: User, lin: User) -> None:
    on_disagreement(project, lin)
    guessed(project, ada, 14, of=40)
    (run,) = loop.triggers_check(at=NOON + 2 * MINUTE)
    assert run.trigger_type == RunTrigger.DISAGREEMENT
    assert run.trigger.startswith("People contradict the model on 35 % of 40 answers; it expects 10 %.")


def test_as_many_contradictions_as_the_model_expects_start_nothing(project: Project, ada: User, lin: User) -> None:
    on_disagreement(project, lin)
    guessed(project, ada, 14, of=40, confidence=0.65)
    assert loop.triggers_check(at=NOON + 2 * MINUTE) == []


def test_a_hidden_guess_counts_a_withdrawn_answer_does_not(project: Project, ada: User, lin: User) -> None:
    guessed(project, ada, 3, of=10, suggestion_shown=False)
    assert guesses_since(None, project).contradicted == 3
    Annotation.objects.filter(label__name="spam").update(withdrawn_at=NOON)
    assert (guesses_since(None, project).answers, guesses_since(None, project).contradicted) == (7, 0)


def test_answers_before_the_last_run_and_guesses_of_older_models_do_not_count(project: Project, ada: User) -> None:
    guessed(project, ada, 5, of=10, at=NOON - MINUTE)
    run = rows.started(project)
    assert guesses_since(run, project).answers == 0
    guessed(project, ada, 2, of=6, run_number=1)
    guessed(project, ada, 1, of=4, run_number=2)
    assert (guesses_since(run, project).answers, guesses_since(run, project).contradicted) == (4, 1)


def test_time_alone_starts_a_run_once_a_label_is_new(project: Project, lin: User) -> None:
    trigger_set(project=project, enabled=True, new_labels=None, minutes=60, debounce_s=0, kind="full", by=lin, at=NOON)
    assert loop.triggers_check(at=NOON + 120 * MINUTE) == []
    rows.labeled(project, 10)
    assert loop.triggers_check(at=NOON + 59 * MINUTE) == []
    (run,) = loop.triggers_check(at=NOON + 60 * MINUTE)
    assert (run.trigger_type, run.trigger) == (RunTrigger.MINUTES, "60 of 60 min with 6 new labels.")


def test_a_run_that_a_person_starts_says_so(project: Project, lin: User) -> None:
    rows.labeled(project)
    run = loop.run_start_now(project=project, kind="full", by=lin, at=NOON)
    assert (run.trigger_type, run.trigger) == (RunTrigger.MANUAL, "Lin asked for it.")


def test_the_database_refuses_a_trigger_that_could_never_fire(project: Project) -> None:
    with pytest.raises(IntegrityError, match="training_trigger_can_fire"):
        Trigger.objects.create(project=project, new_labels=None)


def test_the_migration_names_what_started_the_runs_of_before(project: Project, lin: User) -> None:
    """Written with the words that runs carried until then."""
    words = {
        "50 new labels since the last run; 50 were needed.": (None, RunTrigger.LABELS),
        "Simulated round. There is no champion yet, so it trains in full.": (lin, RunTrigger.SIMULATED),
        "Lin asked for it.": (lin, RunTrigger.MANUAL),
    }
    for number, (told, (by, _)) in enumerate(words.items(), start=1):
        Run.objects.create(
            project=project,
            number=number,
            kind="full",
            state=RunState.COMPLETED,
            trigger=told,
            started_by=by,
            queued_at=NOON,
        )
    import_module("apps.training.migrations.0002_typed_triggers").name_what_started_each_run(apps, None)
    assert dict(Run.objects.values_list("trigger", "trigger_type")) == {told: kind for told, (_, kind) in words.items()}
