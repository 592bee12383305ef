"""A small real sweep on digits: Optuna in this PostgreSQL, trials as jobs in this process, and two workers at once."""

import threading
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from apps.accounts.models import User
from apps.labeling.models import Label
from apps.projects.models import Project
from apps.releases.models import ModelVersion
from apps.rules.sweeps import SETTINGS, Span
from apps.training.models import Run, RunKind, RunState, RunTrigger, Sweep, SweepState, Trial, TrialState
from apps.training.services.sweeps import sweep_cancel, sweep_start, sweeps_check, trials_send
from apps.training.services.trials import LEASE, TrialLost, best_trial, trial_claim, trial_end
from apps.work.names import Job
from tests.workers.at_once import JobsAtOnce
from workers.tasks import study as study_module
from workers.tasks import trial as task
from workers.tasks.trial import trial
from workers.training.learners.image_choice import FULL
from workers.training.recipes import TrialRecipe

pytestmark = pytest.mark.django_db(transaction=True)
Start = Callable[..., Sweep]
# Small networks for a few epochs: what is tested is the search, not its result.
SPACE = {"learning_rate": Span(1e-4, 2e-2, log=True), "epochs": Span(2, 4), "hidden": Span(8, 32)}


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Epochs as few as the space says; a real recipe makes at least 200 steps."""
    monkeypatch.setitem(FULL, "least_steps", 0)


@pytest.fixture
def start(digits: Project, lin: User) -> Start:
    def started(trials: int = 4, **more: object) -> Sweep:
        sweep = sweep_start(project=digits, space=SPACE, trials=trials, by=lin, at=timezone.now(), **more)  # type: ignore[arg-type]
        sweep.refresh_from_db()
        return sweep

    return started


def states(sweep: Sweep) -> list[str]:
    return list(sweep.trials.values_list("state", flat=True))


def test_what_may_be_varied_is_what_a_recipe_takes() -> None:
    settings = {each.name: each for each in fields(TrialRecipe)}
    for name, bounds in SETTINGS.items():
        assert (bounds.low, bounds.high) == settings[name].metadata["between"], name
        assert bounds.whole == (settings[name].type is int), name


def test_a_sweep_tries_its_recipes_and_the_best_one_becomes_a_judged_run(digits: Project, start: Start) -> None:
    sweep = start(6)
    assert sweep.state == SweepState.COMPLETED, sweep.error
    assert set(states(sweep)) <= {TrialState.COMPLETED, TrialState.PRUNED}
    tried = [t.settings for t in sweep.trials.all()]
    assert len({s["learning_rate"] for s in tried}) == 6
    for settings in tried:
        assert all(SPACE[name].low <= settings[name] <= SPACE[name].high for name in SPACE)
        assert isinstance(settings["epochs"], int)
    best = best_trial(sweep)
    assert best is not None
    assert best.value == min(t.value for t in sweep.trials.all() if t.state == TrialState.COMPLETED)
    assert best.value == pytest.approx(min(loss for _, loss in best.curve), abs=1e-4)
    run = sweep.run
    assert run is not None
    assert (run.kind, run.state, run.trigger_type) == (RunKind.SWEEP, RunState.COMPLETED, RunTrigger.SWEEP)
    assert {name: run.recipe[name] for name in SPACE} == best.settings
    assert run.dataset_version_id == sweep.dataset_version_id
    assert run.device_s >= sum(t.seconds for t in sweep.trials.all()) > 0
    assert ModelVersion.objects.filter(run=run).exists()
    assert sum(sweep.importance.values()) == pytest.approx(1, abs=0.01)
    assert set(sweep.importance) == set(SPACE)


def test_a_sweep_never_reads_the_holdout(digits: Project, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: set[int] = set()

    def noted(project: Project, ids: list[int], **more: str) -> object:
        seen.update(int(i) for i in ids)
        return read(project, ids, **more)

    read = task.rows_of
    monkeypatch.setattr(task, "rows_of", noted)
    start(2)
    held = set(Label.objects.filter(project=digits, holdout=True).values_list("pk", flat=True))
    assert len(held) > 30 and not held & seen
    assert seen == set(Label.objects.filter(project=digits, holdout=False).values_list("pk", flat=True))


def test_the_same_seed_tries_the_same_recipes(start: Start) -> None:
    first, second = start(3, seed=5), start(3, seed=5)
    assert [t.settings for t in first.trials.all()] == [t.settings for t in second.trials.all()]


def test_a_trial_that_falls_behind_is_pruned_and_its_seconds_count(
    digits: Project, lin: User, jobs: JobsAtOnce, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four good recipes first; then one whose rate is far too small cannot keep up with their median."""
    jobs.held.add(Job.TRIAL)
    space = {"learning_rate": Span(1e-6, 2e-2, log=True)}
    rates = [1e-2, 1e-2, 8e-3, 1.2e-2, 1e-6]
    given = iter(rates)

    def next_rate(study, sweep, row):  # type: ignore[no-untyped-def]
        study.enqueue_trial({"learning_rate": next(given)})
        return ask(study, sweep, row)

    ask = task.asked
    monkeypatch.setattr(task, "asked", next_rate)
    for name, value in {"hidden": 16, "epochs": 8, "batch_size": 64, "least_steps": 0}.items():
        monkeypatch.setitem(FULL, name, value)
    sweep = sweep_start(project=digits, space=space, trials=5, by=lin, at=timezone.now())
    for row in sweep.trials.order_by("number"):
        trial(row.pk)
    last = sweep.trials.get(number=5)
    assert last.state == TrialState.PRUNED
    assert len(last.curve) < 8 and last.seconds > 0
    best = best_trial(sweep)
    assert best is not None and best.number != 5


def test_a_killed_trial_is_tried_again_with_the_same_settings(
    digits: Project, start: Start, jobs: JobsAtOnce, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs.held.add(Job.TRIAL)
    sweep = start(2)
    first = sweep.trials.get(number=1)

    def killed(*given: object, **more: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(task, "try_recipe", killed)
        with pytest.raises(SystemExit):
            trial(first.pk)
    first.refresh_from_db()
    given = first.settings
    assert (first.state, first.attempts) == (TrialState.RUNNING, 1) and given
    trial(first.pk)  # delivered again while the lease holds: nothing
    first.refresh_from_db()
    assert first.attempts == 1
    Trial.objects.filter(pk=first.pk).update(leased_until=timezone.now() - timedelta(seconds=1))
    jobs.held.discard(Job.TRIAL)
    jobs.sent.clear()
    sweeps_check(at=timezone.now() + timedelta(minutes=1))
    first.refresh_from_db()
    sweep.refresh_from_db()
    assert (first.state, first.attempts, first.settings) == (TrialState.COMPLETED, 2, given)
    assert sweep.state == SweepState.COMPLETED
    known = study_module.study_of(sweep, seed=0).get_trials(deepcopy=False)
    assert len(known) == 2  # the dead worker's suggestion was taken up, not left open


def test_a_recipe_that_kills_its_worker_thrice_is_given_up_and_the_sweep_goes_on(
    start: Start, jobs: JobsAtOnce
) -> None:
    jobs.held.add(Job.TRIAL)
    sweep = start(2)
    bad, at = sweep.trials.get(number=1), timezone.now()
    for _ in range(3):
        trial_claim(trial_id=bad.pk, at=at)
        at += LEASE.length + timedelta(seconds=1)
    Trial.objects.filter(pk=bad.pk).update(leased_until=timezone.now() - timedelta(seconds=1))
    jobs.held.discard(Job.TRIAL)
    trial(bad.pk)
    bad.refresh_from_db()
    assert bad.state == TrialState.FAILED and "died 3 times" in bad.error
    trial(sweep.trials.get(number=2).pk)
    sweep.refresh_from_db()
    assert sweep.state == SweepState.COMPLETED and sweep.run is not None


def test_two_workers_ask_at_the_same_time_and_get_different_recipes(
    digits: Project, start: Start, jobs: JobsAtOnce
) -> None:
    jobs.held.update({Job.TRIAL, Job.TRAIN})
    sweep = start(4)
    rows, faults = list(sweep.trials.all()), list[BaseException]()

    def work(mine: list[Trial]) -> None:
        try:
            for row in mine:
                trial(row.pk)
        except BaseException as fault:  # told to the test's own thread
            faults.append(fault)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(rows[i::2],)) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert faults == []
    sweep.refresh_from_db()
    assert sweep.state == SweepState.COMPLETED, sweep.error
    assert len({t.settings["learning_rate"] for t in sweep.trials.all()}) == 4
    assert Run.objects.filter(project=digits, kind=RunKind.SWEEP).count() == 1
    assert len(study_module.study_of(sweep, seed=0).get_trials(deepcopy=False)) == 4


def test_a_message_delivered_twice_tries_once(start: Start) -> None:
    sweep = start(2)
    for row in sweep.trials.all():
        trial(row.pk)
    assert [t.attempts for t in sweep.trials.all()] == [1, 1]
    assert Run.objects.count() == 1


def test_a_worker_that_was_replaced_writes_nothing_more(start: Start, jobs: JobsAtOnce) -> None:
    jobs.held.add(Job.TRIAL)
    row = start(2).trials.get(number=1)
    old = trial_claim(trial_id=row.pk, at=timezone.now())
    trial_claim(trial_id=row.pk, at=timezone.now() + LEASE.length + timedelta(seconds=1))
    assert old.owner is not None
    with pytest.raises(TrialLost):
        trial_end(trial_id=row.pk, owner=old.owner, state=TrialState.COMPLETED, at=timezone.now())
    row.refresh_from_db()
    assert row.state == TrialState.RUNNING


def test_a_canceled_sweep_stops_its_trials_and_makes_no_model(
    digits: Project, start: Start, lin: User, jobs: JobsAtOnce, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs.held.add(Job.TRIAL)
    sweep = start(3)
    row = sweep.trials.get(number=1)

    def canceled(*given: object, **more: object) -> object:
        sweep_cancel(sweep=sweep, by=lin, at=timezone.now())
        return tried(*given, **more)  # type: ignore[arg-type]

    tried = task.try_recipe
    monkeypatch.setattr(task, "try_recipe", canceled)
    monkeypatch.setattr(task, "LEASE", replace(task.LEASE, renewed_every_s=0.01))
    for name, value in {"hidden": 16, "batch_size": 16, "least_steps": 3000}.items():
        monkeypatch.setitem(FULL, name, value)
    trial(row.pk)
    assert states(sweep) == [TrialState.CANCELED] * 3
    sweep.refresh_from_db()
    assert (sweep.state, sweep.run_id) == (SweepState.CANCELED, None)
    assert trials_send(sweep_id=sweep.pk, at=timezone.now()) == []


def test_a_sweep_whose_every_trial_fails_says_why(
    start: Start, jobs: JobsAtOnce, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*given: object, **more: object) -> None:
        raise study_module.StudyUnreachable("The study cannot be reached: no such host.")

    monkeypatch.setattr(task, "asked", lost)
    sweep = start(2)
    assert states(sweep) == [TrialState.FAILED] * 2
    assert sweep.state == SweepState.FAILED
    assert "No trial came to its end. The study cannot be reached" in sweep.error
    assert not Run.objects.exists()


def test_a_study_that_was_lost_is_laid_again_from_the_trials(start: Start, jobs: JobsAtOnce) -> None:
    jobs.held.add(Job.TRIAL)
    sweep = start(3)
    one, two, _ = sweep.trials.order_by("number")
    trial(one.pk)
    one.refresh_from_db()
    Sweep.objects.filter(pk=sweep.pk).update(study_name="another-name")  # as if its tables had been dropped
    trial(two.pk)
    sweep.refresh_from_db()
    known = study_module.study_of(sweep, seed=0).get_trials(deepcopy=False)
    assert next(t.value for t in known) == pytest.approx(one.value)
    assert len(known) == 2


def test_a_sweep_whose_last_worker_died_before_closing_it_is_closed_by_the_clock(
    start: Start, jobs: JobsAtOnce, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(task, "sweep_is_tried", lambda sweep: False)
        sweep = start(2)
    assert sweep.state == SweepState.RUNNING
    sweeps_check(at=timezone.now() + timedelta(minutes=5))
    sweep.refresh_from_db()
    assert sweep.state == SweepState.COMPLETED and sweep.run is not None
