"""Train, release and monitor over the API: what is refused, in which words, and that nothing changed."""

from collections.abc import Callable

import pytest
from django.utils import timezone

from apps.accounts.models import User
from apps.audit.models import Event
from apps.evaluation.models import Outcome
from apps.integrations import wiring
from apps.monitoring.log.services import LoggedPrediction, predictions_record
from apps.monitoring.models import Alert
from apps.monitoring.services import alert_raise
from apps.projects.models import Project
from apps.releases.models import Promotion
from apps.releases.selectors import champion_of
from apps.releases.services import model_promote
from apps.training.models import Run
from tests import rows
from tests.api import api_of, at, post
from tests.conftest import NOON

REASON = "The rare labels matter more to us than the mean."


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> rows.Sent:
    queue = rows.Sent([])
    monkeypatch.setattr(wiring, "jobs", queue)
    return queue


@pytest.fixture
def champion(project: Project, lin: User) -> int:
    """The number of the first champion."""
    rows.labeled(project)
    version = rows.model(project)
    model_promote(version=version, reason="", by=lin, at=NOON)
    return version.number


def champion_number(project: Project) -> int | None:
    found = champion_of(project)
    return found.number if found else None


def promote(user: User, version: int, **body: str) -> object:
    return post(user, f"/api/v1/models/{version}/promote/", **body)


def test_a_project_without_labels_is_not_trained(project: Project, lin: User) -> None:
    answer = post(lin, at(project, "runs/"), kind="full")
    assert (answer.status_code, answer.json()["code"]) == (422, "not_enough_labels")
    assert answer.json()["detail"] == "There is nothing to train on: no example outside the holdout has a label yet."
    assert not Run.objects.exists()


def test_a_project_whose_labels_are_all_in_the_holdout_is_not_trained(project: Project, lin: User) -> None:
    rows.labeled(project, 6, held=6)
    assert post(lin, at(project, "runs/"), kind="full").status_code == 422
    assert not Run.objects.exists()


def test_one_class_only_is_not_trained(project: Project, lin: User) -> None:
    rows.labeled(project, 6, held=1, only="ham")
    answer = post(lin, at(project, "runs/"), kind="full")
    assert (answer.status_code, answer.json()["code"]) == (422, "not_enough_labels")
    assert (
        answer.json()["detail"]
        == "Every labeled example is “ham”. A model needs at least two different labels to learn from."
    )
    assert not Run.objects.exists()


def test_an_unknown_kind_of_run_names_the_field(project: Project, lin: User) -> None:
    answer = post(lin, at(project, "runs/"), kind="magic")
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["kind"])


def test_without_a_champion_an_incremental_run_trains_in_full_and_says_so(project: Project, lin: User) -> None:
    rows.labeled(project)
    answer = post(lin, at(project, "runs/"), kind="incremental").json()
    assert (answer["number"], answer["kind"], answer["state"]) == (1, "full", "queued")
    assert answer["trigger"] == "Lin asked for it. There is no champion yet, so it trains in full."


def test_an_incremental_run_without_a_new_label_is_refused(project: Project, lin: User, champion: int) -> None:
    from apps.labeling.models import Label

    Label.objects.update(first_run_number=1)
    answer = post(lin, at(project, "runs/"), kind="incremental")
    assert answer.status_code == 422
    assert (
        answer.json()["detail"]
        == "No label is new since run 1, so there is nothing to add. Label more, or train in full."
    )
    assert Run.objects.count() == 1


def test_a_second_run_is_refused_while_one_is_open(project: Project, lin: User) -> None:
    rows.labeled(project)
    assert post(lin, at(project, "runs/"), kind="full").status_code == 201
    answer = post(lin, at(project, "runs/"), kind="full")
    assert (answer.status_code, answer.json()["code"], answer.json()["run"]) == (409, "run_open", 1)
    assert answer.json()["detail"] == "Run 1 is queued already. Labels given meanwhile go into the run after it."
    assert Run.objects.count() == 1


def test_a_queued_run_is_canceled_at_once_and_only_once(project: Project, lin: User) -> None:
    rows.labeled(project)
    run = post(lin, at(project, "runs/"), kind="full").json()
    assert post(lin, f"/api/v1/runs/{run['id']}/cancel/").json()["state"] == "canceled"
    again = post(lin, f"/api/v1/runs/{run['id']}/cancel/")
    assert (again.status_code, again.json()["detail"]) == (
        409,
        "Run 1 is canceled already; there is nothing to cancel.",
    )
    assert post(lin, at(project, "runs/"), kind="full").json()["number"] == 2


def test_a_run_is_watched_with_its_curves_log_and_verdict(project: Project, lin: User, champion: int) -> None:
    run = api_of(lin).get(at(project, "runs/")).json()["results"][0]
    watched = api_of(lin).get(f"/api/v1/runs/{run['id']}/").json()
    assert (watched["state"], watched["report"]["outcome"]) == ("completed", "pass")
    assert watched["curves"]["steps"] == [33, 66, 100]
    assert watched["curves"]["holdout_accuracy"] == [0.9, 0.9, 0.9]
    assert any(line.startswith("step 100 ") for line in watched["log"])


def test_a_failed_candidate_is_not_promoted_and_the_champion_stays(project: Project, lin: User, champion: int) -> None:
    failed = rows.model(project, Outcome.FAIL)
    answer = promote(lin, failed.pk, reason=REASON)
    assert (answer.status_code, answer.json()["code"]) == (409, "gate_closed")
    assert answer.json()["detail"] == (
        "v2 failed its gate “It is not worse than the champion” and cannot be promoted. "
        "The champion stays. Label more and train again, or let a manager override it on the report."
    )
    assert (champion_number(project), Promotion.objects.count()) == (champion, 1)


@pytest.mark.parametrize("reason", ["", "   ", "because I say so"])
def test_an_inconclusive_candidate_needs_a_written_reason(
    project: Project, lin: User, champion: int, reason: str
) -> None:
    doubtful = rows.model(project, Outcome.INCONCLUSIVE)
    answer = promote(lin, doubtful.pk, reason=reason)
    assert (answer.status_code, answer.json()["field"]) == (422, "reason")
    assert "at least 20 characters" in answer.json()["detail"]
    assert champion_number(project) == champion
    assert promote(lin, doubtful.pk, reason=REASON).status_code == 201
    assert Event.objects.filter(verb="model.promoted").first().after == {"champion": 2, "reason": REASON}


def test_promoting_the_champion_again_changes_nothing(project: Project, lin: User) -> None:
    rows.labeled(project)
    version = rows.model(project)
    first = promote(lin, version.pk)
    assert (first.status_code, first.json()["version"], first.json()["replaced"]) == (201, 1, None)
    again = promote(lin, version.pk)
    assert (again.status_code, again.json()["code"]) == (409, "already_champion")
    assert Promotion.objects.count() == 1


def test_a_roll_back_returns_to_the_champion_before(project: Project, lin: User, champion: int) -> None:
    second = rows.model(project)
    promote(lin, second.pk)
    answer = post(lin, at(project, "roll-back/"), champion=2, reason="Too many false alarms.")
    assert (answer.status_code, answer.json()["kind"], answer.json()["version"], answer.json()["replaced"]) == (
        201,
        "roll-back",
        1,
        2,
    )
    assert champion_number(project) == 1
    listed = api_of(lin).get(at(project, "models/")).json()["results"]
    assert [(v["number"], v["rolled_back_reason"]) for v in listed] == [(2, "Too many false alarms."), (1, "")]
    assert listed[0]["rolled_back_at"] and listed[1]["rolled_back_at"] is None


def test_a_roll_back_without_a_reason_changes_nothing(project: Project, lin: User, champion: int) -> None:
    promote(lin, rows.model(project).pk)
    answer = post(lin, at(project, "roll-back/"), champion=2)
    assert (answer.status_code, champion_number(project)) == (422, 2)
    assert answer.json()["detail"] == "Say why v2 is taken back; it stands beside the model from then on."


def test_a_roll_back_from_a_stale_page_is_refused_and_the_champion_stays(
    project: Project, lin: User, champion: int
) -> None:
    promote(lin, rows.model(project).pk)
    post(lin, at(project, "roll-back/"), champion=2, reason="A drill.")
    again = post(lin, at(project, "roll-back/"), champion=2, reason="A drill.")
    assert again.status_code == 409
    assert again.json()["detail"] == "The champion is v1 now, not v2. Nothing was changed; look again."
    assert (champion_number(project), Promotion.objects.count()) == (1, 3)


def test_the_first_champion_cannot_be_rolled_back(project: Project, lin: User, champion: int) -> None:
    answer = post(lin, at(project, "roll-back/"), champion=1)
    assert (answer.status_code, answer.json()["code"]) == (409, "nothing_to_roll_back_to")
    assert champion_number(project) == 1


def test_a_roll_back_must_say_which_champion_it_saw(project: Project, lin: User, champion: int) -> None:
    answer = post(lin, at(project, "roll-back/"))
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["champion"])


def test_models_are_listed_with_aliases_and_verdicts(project: Project, lin: User, champion: int) -> None:
    rows.model(project, Outcome.INCONCLUSIVE)
    rows.model(project, Outcome.FAIL)
    found = api_of(lin).get(at(project, "models/")).json()["results"]
    assert [(x["number"], x["outcome"], x["aliases"]) for x in found] == [
        (3, "fail", []),
        (2, "inconclusive", ["candidate"]),
        (1, "pass", ["champion"]),
    ]


QUESTION = [{"name": "text", "shape": [1], "datatype": "BYTES", "data": ["hello"]}]


def test_without_a_champion_nothing_is_predicted(project: Project, lin: User) -> None:
    answer = post(lin, at(project, "predict/"), inputs=QUESTION)
    assert (answer.status_code, answer.json()["code"]) == (409, "no_champion")
    assert answer.json()["detail"] == "No model serves yet. Promote one first."


def test_while_the_predictor_is_away_a_question_is_answered_503_in_words(
    project: Project, lin: User, champion: int, settings: object
) -> None:
    settings.PREDICTOR_URL = "http://127.0.0.1:1"
    answer = post(lin, at(project, "predict/"), inputs=QUESTION)
    assert (answer.status_code, answer.json()["code"]) == (503, "predictor_unavailable")
    assert answer.json()["detail"].startswith("The predictor at http://127.0.0.1:1 does not answer. ")


def test_predictions_are_listed_newest_first(project: Project, lin: User, champion: int) -> None:
    predictions_record(rows=[LoggedPrediction(project.pk, f"q{i}", NOON, 1, "ham", 0.9, 3.0) for i in range(3)])
    found = api_of(lin).get(at(project, "predictions/")).json()["results"]
    assert [x["inference_id"] for x in found] == ["q2", "q1", "q0"]


def test_drift_is_looked_for_only_where_a_champion_serves(project: Project, lin: User) -> None:
    answer = post(lin, at(project, "drift-checks/"))
    assert (answer.status_code, answer.json()["code"]) == (409, "no_champion")


def test_a_drift_check_of_few_predictions_says_so_and_raises_nothing(
    project: Project, lin: User, champion: int
) -> None:
    answer = post(lin, at(project, "drift-checks/"))
    assert (answer.status_code, answer.json()["outcome"]) == (201, "too-few")
    assert not Alert.objects.exists()


def test_a_changed_mix_of_predictions_raises_one_alert_however_often_it_is_seen(
    project: Project, lin: User, champion: int
) -> None:
    served = [LoggedPrediction(project.pk, f"q{i}", timezone.now(), 1, "spam", 0.6, 3.0) for i in range(100)]
    predictions_record(rows=served)
    assert post(lin, at(project, "drift-checks/")).json()["outcome"] == "drift"
    assert post(lin, at(project, "drift-checks/")).json()["outcome"] == "drift"
    alert = api_of(lin).get(at(project, "alerts/")).json()["results"]
    assert [(x["kind"], x["times_seen"], x["resolved_at"]) for x in alert] == [("drift", 2, None)]


@pytest.fixture
def alert(project: Project) -> Alert:
    return alert_raise(project=project, kind="drift", title="Drift", detail="It changed.", check=None, at=NOON)


def test_an_alert_is_resolved_once_with_a_note(project: Project, lin: User, mona: User, alert: Alert) -> None:
    answer = post(lin, at(project, f"alerts/{alert.pk}/resolve/"), note="A holiday.")
    assert (answer.status_code, answer.json()["note"]) == (200, "A holiday.")
    again = post(mona, at(project, f"alerts/{alert.pk}/resolve/"), note="Mine.")
    assert (again.status_code, again.json()["detail"]) == (409, "Lin resolved this alarm already: “A holiday.”.")
    alert.refresh_from_db()
    assert (alert.note, alert.resolved_by) == ("A holiday.", lin)


@pytest.mark.parametrize("note", ["", "   ", "x" * 401])
def test_an_alert_is_not_resolved_without_a_note(project: Project, lin: User, alert: Alert, note: str) -> None:
    answer = post(lin, at(project, f"alerts/{alert.pk}/resolve/"), note=note)
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["note"])
    alert.refresh_from_db()
    assert alert.resolved_at is None


def test_an_alert_of_another_project_is_not_found(
    make_project: Callable[..., Project], lin: User, alert: Alert
) -> None:
    other = make_project()
    answer = post(lin, at(other, f"alerts/{alert.pk}/resolve/"), note="A holiday.")
    assert (answer.status_code, answer.json()["detail"]) == (404, "There is no such alarm.")


def test_laps_are_listed_and_empty_at_first(project: Project, rosa: User) -> None:
    assert api_of(rosa).get(at(project, "laps/")).json()["results"] == []
