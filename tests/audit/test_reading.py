"""A reader from outside has every entry once and in order, whatever dies on the way."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction

from apps.audit.models import Cursor, Event
from apps.audit.reading import Unread, begin_at_the_end, each_unread, events_taken, scopes_behind
from apps.audit.services import event_record, project_scope
from apps.audit.verbs import PAYLOADS, Verb
from tests.conftest import NOON


def happened(project, n=1, **more):
    for _ in range(n):
        given = {"verb": Verb.TARGET_SET, "subject": "target", "after": {"hours": 72}, **more}
        event_record(project_id=project.pk, sentence="Mona set the target.", by=None, at=NOON, **given)


def read(reader, **more):
    got: list[Unread] = []
    each_unread(reader, got.append, **more)
    return [event.sequence for found in got for event in found.events]


def test_each_reader_has_every_entry_once_and_in_order(project):
    begin_at_the_end("hook")
    happened(project, 3)
    first = Event.objects.filter(scope=project_scope(project.pk)).count() - 2
    assert read("hook", limit=2) == [first, first + 1]
    assert read("hook", limit=2) == [first + 2]
    assert read("hook") == [] and scopes_behind("hook") == []
    assert read("another")[-3:] == [first, first + 1, first + 2]


def test_what_a_reader_could_not_pass_on_is_handed_to_it_again(project):
    begin_at_the_end("hook")
    happened(project)

    def away(found):
        raise ConnectionError("nobody listens")

    with pytest.raises(ConnectionError):
        each_unread("hook", away)
    assert len(read("hook")) == 1


@pytest.mark.django_db(transaction=True)
def test_an_entry_cannot_overtake_one_whose_writer_commits_late(project):
    """The second writer waits for the chain of its scope, or a reader would pass the first one by."""
    begin_at_the_end("hook")
    told: list[str] = []

    def second():
        happened(project)
        told.append("second")
        connection.close()

    thread = threading.Thread(target=second)
    with transaction.atomic():
        happened(project)
        thread.start()
        thread.join(timeout=0.5)
        told.append("first")
    thread.join(timeout=10)
    assert told == ["first", "second"]
    assert len(read("hook")) == 2 and Cursor.objects.filter(reader="hook").count() == 1


def test_two_workers_of_one_reader_take_turns(project):
    begin_at_the_end("hook")
    happened(project, 2)
    scope = project_scope(project.pk)
    assert len(events_taken("hook", scope, limit=1).events) == 1
    assert len(events_taken("hook", scope, limit=5).events) == 1
    assert events_taken("hook", scope).events == ()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"after": {"days": 3}}, "“days” is not among its facts"),
        ({"after": {"hours": "72"}}, "“hours” is str"),
        ({"subject": "run 3"}, "its subject is “run 3”"),
    ],
)
def test_an_entry_that_is_not_as_declared_is_refused(project, wrong, words):
    before = Event.objects.count()
    with pytest.raises(TypeError, match=words):
        happened(project, **wrong)
    assert Event.objects.count() == before


def test_every_verb_says_what_it_carries():
    assert set(PAYLOADS) == set(Verb)


def test_entries_of_the_site_are_read_like_those_of_a_project(db):
    event_record(
        project_id=None,
        verb=Verb.MEMBER_SET,
        subject="user 1",
        sentence="An admin came.",
        by=None,
        at=NOON + timedelta(1),
        after={"role": "admin"},
    )
    assert scopes_behind("hook") == ["site"] and read("hook") == [1]
