"""The pages and the API of sources: set up, looked at, tried, paused, read again, changed, removed."""

import json

import pytest
from django.urls import reverse
from django.utils import timezone

from apps.audit.models import Event
from apps.audit.services import project_scope
from apps.datasets.models import Example
from apps.sources.kinds import SOURCE_KINDS
from apps.sources.models import Source, SourceLetter, SourceState
from apps.sources.services import MOST_PUSHED
from apps.sources.states import source_fail
from tests.api import api_of
from tests.sources.conftest import partition_of, read, send, text

GIVEN = {"name": "Orders", "kind": "redis-stream", "stream": "orders-page", "partitions": 1, "events": "examples"}


def _at(name, project, *more):
    return reverse(f"sources:{name}", args=[project.pk, *more])


def page_of(browser, address):
    return " ".join(browser.get(address).content.decode().split())


def test_a_source_is_set_up_tried_paused_read_again_changed_and_removed(as_, project, mona, broker):
    browser = as_(mona)
    assert "Nothing is read yet" in page_of(browser, _at("sources", project))
    made = browser.post(_at("sources", project), GIVEN | {"mapping": "id: key\ntext: body.text"})
    source = Source.objects.get()
    assert made["Location"] == _at("source", project, source.pk)
    assert source.mapping == {"id": "key", "text": "body.text"}
    send(source, {"key": "k1", "body": {"text": "<b>parcel</b>"}}, {"key": "k2"})
    page = page_of(browser, made["Location"])
    assert "&lt;b&gt;parcel&lt;/b&gt;" in page and "Nothing stands at “body.text”." in page
    assert f"XADD events:{project.pk}:orders-page" in page
    browser.post(_at("act", project, source.pk, "test"))
    assert "1 of its 2 newest events would be refused" in page_of(browser, made["Location"])
    read(source)
    page = page_of(browser, _at("state", project, source.pk))
    assert SourceLetter.objects.get().reason in page.replace("&#x27;", "'")
    browser.post(_at("act", project, source.pk, "pause"))
    source.refresh_from_db()
    assert source.state == SourceState.PAUSED
    browser.post(_at("act", project, source.pk, "resume"))
    browser.post(_at("act", project, source.pk, "replay"), {"since": "beginning"})
    assert partition_of(source).position == ""
    browser.post(_at("act", project, source.pk, "replay"), {"since": "soon"})
    assert "offset of a Redis stream" in page_of(browser, made["Location"])
    browser.post(made["Location"], GIVEN | {"name": "Orders of shops", "mapping": ""})
    source.refresh_from_db()
    assert (source.name, source.mapping) == ("Orders of shops", {})
    browser.post(_at("act", project, source.pk, "remove"))
    assert not Source.objects.exists()
    said = Event.objects.filter(scope=project_scope(project.pk), verb__startswith="source.").order_by("sequence")
    assert [e.verb.partition(".")[2] for e in said] == ["added", "state", "state", "replayed", "changed", "removed"]


@pytest.mark.parametrize(
    "wrong, words",
    [
        ({"stream": "a b"}, "The name of a stream has"),
        ({"mapping": "text"}, "Line 1 of the mapping"),
        ({"mapping": "a: b\na: c"}, "Line 2 of the mapping"),
        ({"partitions": 99}, "16"),
        ({"name": ""}, "required"),
        ({"events": "gossip"}, "gossip"),
    ],
)
def test_what_cannot_be_used_is_said_at_its_field_and_nothing_is_made(as_, project, mona, wrong, words):
    answer = as_(mona).post(_at("sources", project), GIVEN | wrong)
    assert (answer.status_code, Source.objects.count()) == (422, 0)
    assert words in answer.content.decode()


def test_all_that_is_wrong_with_a_form_is_said_at_once(as_, project, mona):
    page = as_(mona).post(_at("sources", project), GIVEN | {"stream": "a b", "mapping": "text"}).content.decode()
    assert "The name of a stream has" in page and "Line 1 of the mapping" in page


def test_the_kind_is_asked_where_there_are_several(as_, project, mona, monkeypatch):
    asked = '<select name="kind"'
    assert asked not in as_(mona).get(_at("sources", project)).content.decode()
    monkeypatch.setattr(SOURCE_KINDS["kafka"].lacks, "__code__", (lambda: "").__code__)
    page = as_(mona).get(_at("sources", project)).content.decode()
    assert asked in page and 'value="kafka"' in page and 'value="redis-stream"' in page and 'name="format"' in page


def test_a_stopped_source_says_why(as_, project, mona, source):
    source_fail(source=source, reason="The events have changed.", at=timezone.now())
    page = page_of(as_(mona), _at("source", project, source.pk))
    assert "The console stopped it" in page and "The events have changed." in page and "Let it go on" in page


def test_its_figures_are_those_of_its_minutes(as_, project, mona, source):
    send(source, text(1), b"{")
    read(source)
    figures = as_(mona).get(_at("figures", project, source.pk)).json()
    assert [trace["y"] for trace in figures["events"]["data"]] == [[1], [0], [1]]
    assert figures["lag"]["data"][0]["y"][0] >= 0


def test_pages_say_it_in_spanish(as_, project, mona, source):
    source_fail(source=source, reason="The events have changed.", at=timezone.now())
    browser = as_(mona)
    browser.cookies["django_language"] = "es"
    assert "Fuentes" in page_of(browser, _at("sources", project))


def test_the_api_does_what_the_pages_do(project, mona, broker):
    call = api_of(mona)
    root = f"/api/v1/projects/{project.pk}/sources/"
    place = {"stream": "orders-api"}
    made = call.post(root, {"name": "Orders", "events": "examples", "place": place}, format="json")
    assert made.status_code == 201 and made.json()["state"] == "running"
    one = f"{root}{made.json()['id']}/"
    events = [{"id": "e1", "text": "a"}, {"id": "e2"}]
    answer = call.post(f"{one}events/", {"events": events}, format="json")
    assert (answer.status_code, len(answer.json()["offsets"])) == (202, 2)
    source = Source.objects.get()
    assert read(source) == {"taken": 1, "refused": 1}
    assert call.get(one).json()["partitions"][0]["position"] == answer.json()["offsets"][1]
    (letter,) = call.get(f"{one}letters/").json()["results"]
    assert json.loads(letter["raw"]) == {"id": "e2"}
    assert call.patch(one, {"running": False}, format="json").json()["state"] == "paused"
    trial = call.post(f"{one}test/").json()
    assert (trial["fine"], "1 of its 2 newest events would be refused" in trial["words"]) == (False, True)
    assert call.post(f"{one}replay/", {"since": "beginning"}, format="json").json()["partitions"][0]["position"] == ""
    assert call.post(f"{one}replay/", {"since": "x"}, format="json").status_code == 422
    assert call.post(f"{one}events/", {"events": []}, format="json").status_code == 422
    many = [{"id": "e"}] * (MOST_PUSHED + 1)
    assert call.post(f"{one}events/", {"events": many}, format="json").status_code == 422
    assert call.delete(one).status_code == 204
    assert Example.objects.filter(project=project).count() == 1


def test_events_are_not_taken_from_the_api_while_the_broker_is_away(project, mona, source, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    address = f"/api/v1/projects/{project.pk}/sources/{source.pk}/events/"
    answer = api_of(mona).post(address, {"events": [text(1)]}, format="json")
    assert (answer.status_code, "Redis does not answer" in answer.content.decode()) == (503, True)
