"""Online learning as people, programs and the clock meet it; the worker itself is elsewhere."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.audit.models import Event
from apps.errors import DomainError, Invalid
from apps.integrations import wiring
from apps.projects.models import Project
from apps.training.models import OnlineLearner, OnlinePoint
from apps.training.services.online import online_check, online_publish_ask, online_set
from apps.training.services.online_updates import OnlineLost, online_claim
from apps.training.services.runs import NoLearner
from apps.work.names import Job
from tests.conftest import NOON
from tests.rows import Sent, labeled

As = Callable[[User], Client]


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    queue = Sent([])
    monkeypatch.setattr(wiring, "jobs", queue)
    return queue


def learner(project: Project, **more: object) -> OnlineLearner:
    """One that has learned 300 examples in three updates."""
    given = {
        "enabled": True,
        "examples": 300,
        "unpublished": 120,
        "loss_sum": 150.0,
        "right": 240,
        "seconds": 0.5,
        "cursor_at": NOON,
        "cursor_id": 10**9,
        "updated_at": NOON,
        **more,
    }
    found = OnlineLearner.objects.create(project=project, **given)
    for n, loss in ((100, 0.7), (200, 0.5), (300, 0.3)):
        OnlinePoint.objects.create(learner=found, examples=n, learned=100, loss=loss, accuracy=0.8, at=NOON)
    return found


def test_the_page_without_a_learner_says_that_it_is_off(as_: As, lin: User, project: Project) -> None:
    page = as_(lin).get(reverse("training:online", args=[project.pk]))
    assert page.status_code == 200
    assert "Nothing learned yet" in page.text and "Online learning is off." in page.text


def test_the_page_tells_loss_accuracy_and_speed(as_: As, lin: User, project: Project) -> None:
    learner(project, error="The file of what was learned is lost.")
    page = as_(lin).get(reverse("training:online", args=[project.pk])).text
    for words in ("300", "0.500", "80.0", "600", "120", "The file of what was learned is lost."):
        assert words in page, words


def test_the_curve_is_the_loss_of_each_update_and_its_mean_so_far(as_: As, lin: User, project: Project) -> None:
    learner(project)
    found = as_(lin).get(reverse("training:online_figures", args=[project.pk])).json()
    each, mean = found["loss"]["data"]
    assert (each["x"], each["y"]) == ([100, 200, 300], [0.7, 0.5, 0.3])
    assert mean["y"] == [0.7, 0.6, 0.5]
    assert found["accuracy"]["data"][0]["y"] == [80.0, 80.0, 80.0]
    assert "300 examples a loss of 0.500 nats" in found["loss"]["layout"]["meta"]["finding"]


def test_a_curve_without_points_draws_nothing_and_says_so(as_: As, lin: User, project: Project) -> None:
    found = as_(lin).get(reverse("training:online_figures", args=[project.pk])).json()
    assert found["loss"]["data"] == []
    assert found["loss"]["layout"]["meta"]["empty"] == "Nothing was learned yet."


def test_switching_on_is_saved_recorded_and_wakes_the_worker(
    as_: As, lin: User, project: Project, sent: Sent, django_capture_on_commit_callbacks: Callable[..., object]
) -> None:
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
        form = {"enabled": "on", "publish_every": "50"}
        assert as_(lin).post(reverse("training:online_settings", args=[project.pk]), form).status_code == 302
    found = OnlineLearner.objects.get(project=project)
    assert (found.enabled, found.publish_every) == (True, 50)
    assert sent.jobs == [(Job.ONLINE, (project.pk,))]
    assert Event.objects.get(verb="online.set").sentence.endswith("on, a model every 50 examples.")


@pytest.mark.parametrize("absurd", ["0", "1000001", "many", ""])
def test_an_absurd_number_is_told_at_its_field_and_nothing_is_saved(
    as_: As, lin: User, project: Project, absurd: str
) -> None:
    answer = as_(lin).post(
        reverse("training:online_settings", args=[project.pk]), {"enabled": "on", "publish_every": absurd}
    )
    assert answer.status_code == 422
    assert "1 field needs a change" in answer.text
    assert not OnlineLearner.objects.exists()


def test_the_service_refuses_what_the_form_refuses(project: Project, lin: User) -> None:
    with pytest.raises(Invalid, match="1 to 1,000,000 examples, not 0"):
        online_set(project=project, enabled=True, publish_every=0, by=lin, at=NOON)
    assert not OnlineLearner.objects.exists()


def test_a_project_whose_answers_no_model_learns_is_refused(make_project: Callable[..., Project], lin: User) -> None:
    spans = make_project("text-spans", ("name",))
    with pytest.raises(NoLearner, match="No model learns"):
        online_set(project=spans, enabled=True, publish_every=10, by=lin, at=NOON)


def test_a_click_asks_for_a_model_once(
    project: Project, lin: User, sent: Sent, django_capture_on_commit_callbacks: Callable[..., object]
) -> None:
    learner(project)
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
        online_publish_ask(project=project, by=lin, at=NOON)
        online_publish_ask(project=project, by=lin, at=NOON + timedelta(seconds=1))
    assert OnlineLearner.objects.get().asked_at == NOON
    assert Event.objects.filter(verb="online.publish_asked").count() == 1
    assert (Job.ONLINE, (project.pk,)) in sent.jobs


@pytest.mark.parametrize(
    ("state", "words"),
    [({"enabled": False}, "Switch it on first"), ({"unpublished": 0, "examples": 0}, "Nothing was learned yet")],
)
def test_a_click_without_anything_to_make_is_refused_in_words(
    project: Project, lin: User, state: dict[str, object], words: str
) -> None:
    learner(project, **state)
    with pytest.raises(DomainError, match=words):
        online_publish_ask(project=project, by=lin, at=NOON)
    assert OnlineLearner.objects.get().asked_at is None


def test_two_workers_cannot_hold_one_learner(project: Project) -> None:
    learner(project)
    online_claim(project_id=project.pk, at=NOON)
    with pytest.raises(OnlineLost, match="Another worker"):
        online_claim(project_id=project.pk, at=NOON + timedelta(seconds=5))


def test_the_clock_leaves_a_learner_alone_that_is_off_or_has_read_everything(project: Project, sent: Sent) -> None:
    labeled(project)
    calm = NOON + timedelta(hours=1)
    found = learner(project, enabled=False, cursor_at=None)
    assert online_check(at=calm) == []
    OnlineLearner.objects.update(enabled=True)
    assert online_check(at=calm) == [project.pk]
    OnlineLearner.objects.update(cursor_at=NOON)
    assert online_check(at=calm) == []
    OnlineLearner.objects.update(unpublished=found.publish_every)
    assert online_check(at=calm) == [project.pk]
    assert sent.jobs == [(Job.ONLINE, (project.pk,))] * 2


def test_the_clock_looks_again_for_labels_that_were_committed_late(project: Project) -> None:
    learner(project)
    assert online_check(at=NOON + timedelta(minutes=9)) == [project.pk]
    assert online_check(at=NOON + timedelta(minutes=11)) == []


def test_without_redis_the_clock_tries_again_at_its_next_turn(project: Project, sent: Sent) -> None:
    learner(project, asked_at=NOON)
    sent.away = True
    online_check(at=NOON + timedelta(hours=1))
    assert sent.jobs == []
    sent.away = False
    online_check(at=NOON + timedelta(hours=1, minutes=1))
    assert sent.jobs == [(Job.ONLINE, (project.pk,))]


def test_programs_read_and_change_it(project: Project, lin: User) -> None:
    learner(project)
    client = APIClient()
    client.force_authenticate(lin)
    url = reverse("api-online", args=[project.pk])
    found = client.get(url).json()
    assert (found["examples"], found["unpublished"], found["progressive_loss"], found["examples_per_s"]) == (
        300,
        120,
        0.5,
        600.0,
    )
    assert client.patch(url, {"publish_every": 500}, format="json").json()["publish_every"] == 500
    assert OnlineLearner.objects.get().enabled  # what is left out stays
    assert client.patch(url, {"publish_every": 0}, format="json").status_code in (400, 422)
    assert client.patch(url, {"publish_now": True}, format="json").status_code == 200
    assert OnlineLearner.objects.get().asked_at is not None
