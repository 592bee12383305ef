"""`manage.py bench`: what cannot be measured is refused in a sentence, and a bench ends with its figures."""

import json

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.urls import reverse

from tests.bench.queue import BEHIND_TLS, on_page, signed_in


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["astrology"],
            "There is no bench “astrology”. There are acquisition, canary, data, drift, efficiency, log, loop, mending, "
            "plain, queue, serve, stream, training, transfer.",
        ),
        (["acquisition", "--pool", "0"], "--pool and --dim are at least 1, --classes at least 2."),
        (["acquisition", "--classes", "1"], "--pool and --dim are at least 1, --classes at least 2."),
        (["efficiency", "digits", "--seeds", "0"], "--seeds and --jobs are at least 1."),
        (["drift", "--seeds", "0"], "--seeds is at least 1, --budget above 0 and at most 100."),
        (["mending", "--days", "-1"], "--days is 0 or more."),
        (["plain", "adult", "--seeds", "0"], "--seeds is at least 1, --labels 0 or more."),
        (
            ["plain", "nowhere"],
            "There is no file nowhere.parquet. Name a Parquet file with the columns label and split.",
        ),
        (["serve", "--seconds", "0"], "--seconds is at least 1."),
        (["stream", "--flood", "0"], "--seconds, --rate and --flood are at least 1."),
        (["training", "--seeds", "0"], "--seeds is at least 1."),
        (["efficiency", "nowhere"], "There is no file nowhere.parquet. Name a Parquet file, or “digits”."),
        (["efficiency", "digits", "--strategies", "astrology"], "No strategy is called astrology."),
    ],
)
def test_what_cannot_be_measured_is_refused_in_a_sentence(arguments, said):
    with pytest.raises(CommandError) as refused:
        call_command("bench", *arguments)
    assert str(refused.value).startswith(said)


def test_a_pool_is_selected_from_and_the_figures_are_one_json_line(capsys):
    call_command("bench", "acquisition", "--pool", "3000", "--dim", "16", "--classes", "3", "--json")
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert {"seconds_by_step", "anon_peak_mb", "rss_peak_mb", "bytes_read", "floor_s", "ratio_to_floor"} <= set(found)
    assert found["bytes_read"] == 3000 * 16 * 2
    assert set(found["seconds_by_step"]) == {"scan", "merge", "gather", "choose"}


def test_the_strategies_are_counted_on_the_same_target_as_random(capsys):
    arguments = ["efficiency", "digits", "--seeds", "2", "--jobs", "1", "--strategies", "margin", "--json"]
    call_command("bench", *arguments)
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert found["random_labels"] == 629 and found["random_score"] > 0.85
    assert set(found["strategies"]) == {"random", "margin"}
    row = found["strategies"]["margin"]
    assert row["fraction_of_random"] == pytest.approx(row["labels"] / 629, abs=0.01)
    assert row["fraction_of_random"] < 0.8


def test_a_bench_that_plays_a_browser_comes_through_the_door_of_production(project, ada, settings):
    settings.SECURE_SSL_REDIRECT = settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    address, said = reverse("labeling:next", args=[project.pk]), json.dumps({"count": 1})
    browser, before = Client(enforce_csrf_checks=True), {**signed_in(ada), "Host": "testserver"}
    answers = [
        browser.post(address, said, content_type="application/json", headers=headers)
        for headers in (on_page("http://testserver", before), before, {**before, **BEHIND_TLS})
    ]
    assert [answer.status_code for answer in answers] == [200, 301, 403], "a proxy with TLS, and a page of this address"
