"""The learning page: what it says in each state, to whom, and what its forms refuse."""

import pytest
from django.urls import reverse

from apps.audit.models import Event
from apps.evaluation.selectors import learning_of
from apps.evaluation.services import curve_packed, curve_unpacked
from apps.labeling.models import AutoBatch, AutoLabeling
from tests import rows
from tests.conftest import NOON

AUTO = {"enabled": "on", "target_percent": "99.5", "audit_percent": "10"}


def _at(name, project, *more):
    return reverse(f"evaluation:{name}", args=[project.pk, *more])


def _measured(project):
    rows.labeled(project)
    return rows.learned(rows.model(project).run)


def test_before_the_first_run_it_says_what_starts_it(as_, project, lin):
    page = as_(lin).get(_at("learning", project)).content.decode()
    assert "Nothing is measured yet" in page and "not scored yet" in page
    found = as_(lin).get(_at("figures", project)).json()["learning"]
    assert found["data"] == [] and found["layout"]["meta"]["finding"] == "Nothing is measured yet."


def test_it_tells_the_saving_with_its_interval_and_when_to_stop(as_, project, mona):
    report = _measured(project)
    page = as_(mona).get(_at("learning", project)).content.decode()
    assert report.lift["sentence"] in page and "% fewer labels" in page
    assert "Go on: about" in page and "kappa of 0.93 only" in page
    assert "200 holdout examples" in page


def test_hours_and_money_follow_the_rate_of_today(as_, project, mona, ada):
    _measured(project)
    assert learning_of(project).advice.money is None
    as_(mona).post(_at("rate", project), {"hourly_rate": "30", "currency": "usd"})
    project.refresh_from_db()
    assert (str(project.queue.hourly_rate), project.queue.currency) == ("30.00", "USD")
    assert learning_of(project).advice.hours is None  # nobody's time on screen is known yet
    assert "set the rate to 30" in Event.objects.first().sentence


def test_the_chart_has_both_lanes_with_their_bands_and_names_at_their_ends(as_, project, lin):
    _measured(project)
    found = as_(lin).get(_at("figures", project)).json()["learning"]
    assert [t.get("name", "band") for t in found["data"]] == ["band", "band", "Random", "Active"]
    assert found["data"][3]["x"] == [10, 20, 40]
    assert [a["text"] for a in found["layout"]["annotations"]] == ["Random", "Active"]


def test_only_who_edits_the_project_sees_the_settings(as_, project, lin, mona):
    assert "Let the model label" not in as_(lin).get(_at("learning", project)).content.decode()
    assert "Let the model label" in as_(mona).get(_at("learning", project)).content.decode()


def test_auto_labeling_is_turned_on_in_words_that_stay(as_, project, mona):
    assert as_(mona).post(_at("auto_labeling", project), AUTO).status_code == 302
    row = AutoLabeling.objects.get(project=project)
    assert (row.enabled, row.target_precision, row.audit_share) == (True, pytest.approx(0.995), pytest.approx(0.1))
    assert "Waiting for the champion" in as_(mona).get(_at("auto", project)).content.decode()
    assert "on, at 99.5 % precision, 10 % audited" in Event.objects.first().sentence


@pytest.mark.parametrize(
    "wrong", [{"target_percent": "50"}, {"target_percent": "100"}, {"audit_percent": "0"}, {"audit_percent": "x"}]
)
def test_settings_that_make_no_sense_are_refused_with_the_input_kept(as_, project, mona, wrong):
    answer = as_(mona).post(_at("auto_labeling", project), {**AUTO, **wrong}, headers={"HX-Request": "true"})
    assert answer.status_code == 422
    assert next(iter(wrong.values())) in answer.content.decode() and 'id="auto-form"' in answer.content.decode()
    assert not AutoLabeling.objects.exists()


@pytest.mark.parametrize("wrong", [{"hourly_rate": "-1", "currency": "EUR"}, {"hourly_rate": "1", "currency": "Euro"}])
def test_a_rate_that_is_none_is_refused(as_, project, mona, wrong):
    assert as_(mona).post(_at("rate", project), wrong).status_code == 422
    project.refresh_from_db()
    assert project.queue.hourly_rate is None


def test_a_batch_is_withdrawn_once_and_then_says_so(as_, project, mona):
    batch = rows.auto_labeled(project)
    assert as_(mona).post(_at("auto_withdraw", project, batch.number)).status_code == 302
    assert AutoBatch.objects.get().state == "withdrawn"
    again = as_(mona).post(_at("auto_withdraw", project, batch.number))
    assert again.status_code == 409 and "withdrawn already" in again.content.decode()
    assert as_(mona).post(_at("auto_withdraw", project, 99)).status_code == 404


def test_the_api_tells_the_same(as_, project, lin, mona):
    empty = as_(lin).get(f"/api/v1/projects/{project.pk}/learning/").json()
    assert (empty["run_number"], empty["lift"], empty["order"]["scored_at"]) == (None, None, None)
    report = _measured(project)
    found = as_(lin).get(f"/api/v1/projects/{project.pk}/learning/").json()
    assert found["lift"]["sentence"] == report.lift["sentence"] and found["agreement"] == 0.93
    assert [p["labels"] for p in found["active"]] == [10, 20, 40]
    path = f"/api/v1/projects/{project.pk}/auto-labeling/"
    assert as_(mona).patch(path, {"enabled": True}, content_type="application/json").json()["enabled"] is True
    refused = as_(mona).patch(path, {"target_precision": 0.5}, content_type="application/json")
    assert (refused.status_code, "between 80 % and" in refused.content.decode()) == (422, True)


def test_a_curve_survives_its_packing(project):
    report = _measured(project)
    curve = curve_unpacked(report.curve)
    assert curve.right.shape == (3, 200) and curve_packed(curve) == report.curve


def test_a_run_measured_twice_keeps_its_first_record(project):
    report = _measured(project)
    again = rows.learned(report.run, at=NOON + rows.HOUR)
    assert (again.pk, again.at) == (report.pk, NOON)
