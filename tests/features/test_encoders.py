"""Who runs the console brings an encoder of their own; a project chooses it once a worker has loaded it."""

from importlib import import_module

import pytest
from django.urls import reverse

from apps.audit.models import Event
from apps.errors import Forbidden, Invalid
from apps.features.models import Encoder, EncoderState
from apps.features.selectors import encoders_for
from apps.features.services import encoder_add, encoder_check_again, encoder_checked, encoders_sweep
from apps.labeling.encoders import encoder_of
from apps.labeling.services.queue_settings import queue_settings_set
from apps.rules.encoders import ENCODERS
from apps.work.names import Job
from tests.conftest import NOON, person
from tests.rows import Sent


@pytest.fixture
def olga(db):
    """Runs the console."""
    return person("olga", "Olga", is_superuser=True)


@pytest.fixture
def sent(monkeypatch):
    jobs = Sent([])
    monkeypatch.setattr("apps.integrations.wiring.jobs", jobs)
    return jobs


@pytest.fixture
def ours(olga, sent):
    return encoder_add(name="ours-v1", title="Our domain", url="file:///models/ours", by=olga, at=NOON)


def test_what_the_migration_writes_down_is_what_is_installed():
    written = import_module("apps.features.migrations.0001_encoders_and_shards").INSTALLED
    assert [(e.name, e.title, e.payloads[0], e.dim) for e in ENCODERS.own] == list(written)


@pytest.mark.django_db(transaction=True)
def test_a_brought_encoder_is_checked_by_a_worker_before_a_project_can_choose_it(olga, sent, make_project, mona):
    ours = encoder_add(name="ours-v1", title="Our domain", url="file:///models/ours", by=olga, at=NOON)
    assert sent.jobs == [(Job.ENCODER, (ours.pk,))]
    project = make_project()
    with pytest.raises(Invalid, match="not known here"):
        queue_settings_set(project=project, encoder="ours-v1", by=mona, at=NOON)
    encoder_checked(encoder_id=ours.pk, dim=512)
    queue_settings_set(project=project, encoder="ours-v1", by=mona, at=NOON)
    project.refresh_from_db()
    assert encoder_of(project) == "ours-v1"
    assert "ours-v1" not in encoders_for("image-classification")


def test_the_site_has_an_entry_of_who_brought_it(ours):
    event = Event.objects.get(scope="site")
    assert (event.verb, event.sentence) == ("encoder.added", "Olga brought the encoder “ours-v1”.")


def test_one_that_cannot_be_loaded_says_why_and_is_offered_to_nobody(ours, olga):
    encoder_checked(encoder_id=ours.pk, dim=0, error="The folder of ours-v1 has no modules.json.")
    ours.refresh_from_db()
    assert (ours.state, ours.error) == (EncoderState.FAILED, "The folder of ours-v1 has no modules.json.")
    assert "ours-v1" not in encoders_for("text-classification")
    assert encoder_check_again(name="ours-v1", by=olga).state == EncoderState.CHECKING


def test_a_name_never_gets_vectors_of_another_length(ours):
    encoder_checked(encoder_id=ours.pk, dim=512)
    encoder_checked(encoder_id=ours.pk, dim=384)
    ours.refresh_from_db()
    assert (ours.state, ours.dim) == (EncoderState.FAILED, 512)
    assert "Bring it under another name" in ours.error


def test_a_check_whose_message_was_lost_is_asked_for_again(ours, sent):
    sent.jobs.clear()
    encoders_sweep(NOON)
    assert sent.jobs == [(Job.ENCODER, (ours.pk,))]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"name": "Ours"}, "cannot be the name"),
        ({"name": "../x"}, "cannot be the name"),
        ({"name": "all-minilm-l6-v2+run-7"}, "cannot be the name"),
        ({"name": "a" * 61}, "cannot be the name"),
        ({"name": "hashed-words-256"}, "is there already"),
        ({"url": " "}, "where the weights are"),
    ],
)
def test_an_encoder_that_cannot_be_taken_leaves_nothing(olga, given, words):
    before = Encoder.objects.count()
    with pytest.raises(Invalid, match=words):
        encoder_add(**{"name": "ours", "title": "", "url": "file:///x", **given}, by=olga, at=NOON)
    assert Encoder.objects.count() == before and not Event.objects.exists()


def test_only_who_runs_the_console_brings_one(alma):
    with pytest.raises(Forbidden):
        encoder_add(name="ours", title="", url="file:///x", by=alma, at=NOON)
    assert not Encoder.objects.filter(name="ours").exists()


def test_the_page_lists_brings_and_refuses_in_words(as_, olga, sent):
    browser, page = as_(olga), reverse("features:encoders")
    assert browser.post(page, {"name": "ours", "url": "file:///x"}).status_code == 302
    refused = browser.post(page, {"name": "ours", "url": "file:///x"})
    assert refused.status_code == 422 and "is there already" in refused.content.decode()
    Encoder.objects.filter(name="ours").update(state=EncoderState.FAILED, error="No such folder.")
    assert "No such folder." in browser.get(page).content.decode()
    assert browser.post(reverse("features:check", args=["ours"])).status_code == 302
    assert Encoder.objects.get(name="ours").state == EncoderState.CHECKING
    assert reverse("features:encoders") in browser.get(reverse("accounts:account")).content.decode()


def test_the_api_does_the_same(as_, olga, sent):
    browser = as_(olga)
    made = browser.post("/api/v1/encoders/", {"name": "ours", "url": "s3://bucket/e"}, content_type="application/json")
    assert (made.status_code, made.json()["state"]) == (201, "checking")
    assert "ours" in [x["name"] for x in browser.get("/api/v1/encoders/").json()["results"]]
    assert browser.post("/api/v1/encoders/ours/check/").status_code == 202
