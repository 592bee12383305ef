"""Sweeps as people, programs and the clock meet them; the trials themselves are elsewhere."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.errors import DomainError, Invalid
from apps.integrations import wiring
from apps.live.topics import may_join
from apps.projects.models import Project
from apps.rules.sweeps import DEFAULT_SPACE, Span
from apps.training.models import Sweep, SweepState, Trial, TrialState
from apps.training.services.runs import NoLearner
from apps.training.services.sweeps import AT_ONCE, RESEND_AFTER, SweepOpen, sweep_cancel, sweep_start, sweeps_check
from apps.training.services.trials import TrialLost, sweep_close, trial_claim
from apps.work.names import Job
from tests.conftest import NOON
from tests.rows import Sent, labeled, swept

As = Callable[[User], Client]
S = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    queue = Sent([])
    monkeypatch.setattr(wiring, "jobs", queue)
    return queue


@pytest.fixture
def full(project: Project) -> Project:
    labeled(project, 120, held=10)
    return project


def begun(project: Project, trials: int = 6, space: dict[str, Span] | None = None) -> Sweep:
    return sweep_start(project=project, space=space or DEFAULT_SPACE, trials=trials, by=None, at=NOON)


def form(**change: object) -> dict[str, object]:
    return {
        "learning_rate_on": "on",
        "learning_rate_low": "0.001",
        "learning_rate_high": "0.1",
        "learning_rate_log": "on",
        "trials": "5",
        "seed": "3",
        **change,
    }


@pytest.mark.parametrize(
    ("space", "trials", "words"),
    [
        ({"lr": Span(0.1, 0.2)}, 5, "No setting called “lr” can be varied. Known are learning_rate"),
        ({"dropout": Span(0.5, 0.1)}, 5, "dropout must go from a lower to a higher value, not from 0.5 to 0.1"),
        ({"dropout": Span(0.1, 0.1)}, 5, "from a lower to a higher"),
        ({"dropout": Span(float("nan"), 0.1)}, 5, "from a lower to a higher"),
        ({"learning_rate": Span(0.1, 5.0)}, 5, "learning_rate must lie between 1e-07 and 1"),
        ({"hidden": Span(10.5, 20)}, 5, "hidden takes whole numbers only"),
        ({"weight_decay": Span(0, 0.1, log=True)}, 5, "cannot start at 0 on a logarithmic scale"),
        ({}, 5, "at least one setting"),
        (DEFAULT_SPACE, 0, "A sweep has 2 to 500 trials, not 0"),
        (DEFAULT_SPACE, 10_000, "A sweep has 2 to 500 trials, not 10,000"),
    ],
)
def test_what_cannot_be_swept_is_refused_in_words(
    full: Project, space: dict[str, Span], trials: int, words: str
) -> None:
    with pytest.raises(Invalid, match=words.replace("(", r"\(")):
        sweep_start(project=full, space=space, trials=trials, by=None, at=NOON)
    assert not Sweep.objects.exists() and not Trial.objects.exists()


def test_too_few_labels_are_counted(project: Project) -> None:
    labeled(project, 104, held=5)
    with pytest.raises(Invalid, match="needs 100 labels outside the holdout; there are 99"):
        begun(project)


def test_one_class_is_refused(project: Project) -> None:
    labeled(project, 120, held=10, only="ham")
    with pytest.raises(Invalid, match="has the same label"):
        begun(project)
    assert not Sweep.objects.exists()


def test_a_project_whose_answers_no_model_learns_is_refused(make_project: Callable[..., Project]) -> None:
    with pytest.raises(NoLearner):
        begun(make_project("text-spans", ("name",)))


def test_a_second_open_sweep_is_refused_and_the_first_stays(full: Project) -> None:
    first = begun(full)
    with pytest.raises(SweepOpen, match="Sweep 1 is still trying"):
        begun(full)
    assert list(Sweep.objects.all()) == [first]


def test_only_a_few_trials_are_in_the_queue_at_once(
    full: Project, sent: Sent, django_capture_on_commit_callbacks: Callable[..., object]
) -> None:
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
        sweep = begun(full, 9)
    first = list(sweep.trials.order_by("number").values_list("pk", flat=True)[:AT_ONCE])
    assert sent.jobs == [(Job.TRIAL, (pk,)) for pk in first]


def test_the_clock_sends_again_what_was_lost_and_nothing_else(full: Project, sent: Sent) -> None:
    sweep = begun(full)
    assert len(sweeps_check(at=NOON)) == AT_ONCE  # the commit's own message never went
    assert sweeps_check(at=NOON + S) == []
    one = sweep.trials.get(number=1)
    trial_claim(trial_id=one.pk, at=NOON + S)
    again = sweeps_check(at=NOON + RESEND_AFTER + S)
    assert one.pk in again  # its lease of fifteen seconds is over by then
    Trial.objects.filter(pk=one.pk).update(leased_until=NOON + timedelta(hours=1))
    assert one.pk not in sweeps_check(at=NOON + 3 * RESEND_AFTER)


def test_two_workers_cannot_claim_one_trial(full: Project) -> None:
    one = begun(full).trials.get(number=1)
    trial_claim(trial_id=one.pk, at=NOON)
    with pytest.raises(TrialLost):
        trial_claim(trial_id=one.pk, at=NOON + S)


def test_a_canceled_sweep_ends_its_waiting_trials_and_cannot_be_canceled_twice(full: Project, lin: User) -> None:
    sweep = begun(full)
    one = trial_claim(trial_id=sweep.trials.get(number=1).pk, at=NOON)
    ended = sweep_cancel(sweep=sweep, by=lin, at=NOON)
    assert ended.state == SweepState.CANCELED
    assert sweep.trials.filter(state=TrialState.CANCELED).count() == 5
    assert Trial.objects.get(pk=one.pk).state == TrialState.RUNNING  # its worker hears of it at the next heartbeat
    with pytest.raises(DomainError, match="canceled already"):
        sweep_cancel(sweep=sweep, by=lin, at=NOON)


def test_a_sweep_is_not_closed_while_a_trial_is_open(full: Project) -> None:
    sweep = swept(full)
    assert sweep_close(sweep_id=sweep.pk, importance={}, at=NOON).state == SweepState.RUNNING
    assert Sweep.objects.get().run is None


def test_the_list_shows_sweeps_and_the_form_is_filled_in(as_: As, lin: User, full: Project) -> None:
    browser, url = as_(lin), reverse("training:sweeps", args=[full.pk])
    assert "No sweep yet" in browser.get(url).text
    swept(full)
    page = browser.get(url).text
    assert "Sweep 1" in page and "3 of 6" in page and "0.200" in page
    assert 'name="learning_rate_low" value="0.0004"' in page


def test_the_form_starts_a_sweep(as_: As, lin: User, full: Project) -> None:
    answer = as_(lin).post(reverse("training:sweep_start", args=[full.pk]), form())
    sweep = Sweep.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, reverse("training:sweep", args=[full.pk, sweep.pk]))
    assert sweep.space == {"learning_rate": {"low": 0.001, "high": 0.1, "log": True}}
    assert (sweep.trials.count(), sweep.seed, sweep.started_by) == (5, 3, lin)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"learning_rate_low": "0.5"}, "learning_rate must go from a lower to a higher value"),
        ({"learning_rate_high": ""}, "Fill in a number, or take the setting out."),
        ({"learning_rate_on": ""}, "A sweep needs at least one setting to vary."),
        ({"trials": "10000"}, "less than or equal to 500"),
    ],
)
def test_a_wrong_form_is_told_where_and_nothing_starts(
    as_: As, lin: User, full: Project, change: dict[str, object], words: str
) -> None:
    given = {name: value for name, value in form(**change).items() if value != ""}
    answer = as_(lin).post(reverse("training:sweep_start", args=[full.pk]), given)
    assert answer.status_code == 422
    assert words in answer.text
    assert not Sweep.objects.exists()


def test_the_sweeps_page_shows_its_trials_and_the_best(as_: As, lin: User, full: Project) -> None:
    sweep = swept(full)
    page = as_(lin).get(reverse("training:sweep", args=[full.pk, sweep.pk])).text
    assert "3 of 6 trials ended" in page and "Best so far: trial 3, loss 0.200 nats" in page
    assert "Cancel the sweep" in page


def test_the_figures_rank_importance_and_put_every_trial_on_all_axes(as_: As, lin: User, full: Project) -> None:
    sweep = swept(full)
    url = reverse("training:sweep_figures", args=[full.pk, sweep.pk])
    assert as_(lin).get(url).json()["importance"]["data"] == []
    Sweep.objects.update(importance={"hidden": 0.2, "learning_rate": 0.8})
    found = as_(lin).get(url).json()
    (bars,) = found["importance"]["data"]
    assert (bars["x"], bars["y"]) == (["learning_rate", "hidden"], [80.0, 20.0])
    lines = found["parallel"]["data"]
    assert [line["name"] for line in lines] == ["trial 1", "trial 2", "trial 3"]  # the best is drawn last
    assert lines[0]["x"] == ["learning_rate", "hidden", "loss"]
    assert lines[0]["y"] == [0.5, 0.0, 1.0]  # 0.001 of 0.0001 to 0.01 on a logarithmic scale
    assert lines[2]["text"] == ["0.003", "192", "0.2"]
    completed, best = found["history"]["data"]
    assert (completed["y"], best["y"]) == ([0.4, 0.3, 0.2], [0.4, 0.3, 0.2])


def test_a_sweep_of_another_project_is_not_found(
    as_: As, lin: User, full: Project, make_project: Callable[..., Project]
) -> None:
    sweep = swept(make_project())
    assert as_(lin).get(reverse("training:sweep", args=[full.pk, sweep.pk])).status_code == 404


def test_only_who_sees_runs_may_watch_a_sweep(full: Project, lin: User, ada: User, mallory: User) -> None:
    sweep = swept(full)
    assert [may_join(person, "sweep", sweep.pk) for person in (lin, ada, mallory)] == [True, False, False]


def test_programs_start_read_list_and_cancel(full: Project, lin: User) -> None:
    client = APIClient()
    client.force_authenticate(lin)
    url = reverse("api-sweeps", args=[full.pk])
    refused = client.post(url, {"space": {"lr": {"low": 0.1, "high": 0.2}}}, format="json")
    assert refused.status_code == 422 and "No setting called" in str(refused.json())
    made = client.post(url, {"trials": 4, "seed": 1}, format="json")
    assert made.status_code == 201
    assert set(made.json()["space"]) == set(DEFAULT_SPACE)
    assert client.post(url, {"trials": 4}, format="json").status_code == 409
    assert [s["number"] for s in client.get(url).json()["results"]] == [1]
    one = client.get(reverse("api-sweep", args=[made.json()["id"]])).json()
    assert (len(one["trials"]), one["best"], one["state"]) == (4, None, "running")
    canceled = client.post(reverse("api-sweep-cancel", args=[made.json()["id"]]))
    assert canceled.json()["state"] == "canceled"
