"""Who did it, in words and in the hash; chains of earlier releases; what a chain shows when somebody edits the table."""

from datetime import timedelta

import pytest

from apps.accounts.models import User
from apps.audit import services
from apps.audit.models import ChainHead, Event
from apps.audit.services import PLAIN, SITE, chain_intact, event_record
from apps.audit.verbs import Verb


def recorded(by, at, number=1):
    return event_record(
        project_id=None, verb=Verb.NAME_SET, subject=f"user {number}", by=by, at=at, sentence=f"{by} set a target."
    )


def as_earlier_release_wrote(event):
    event.hash_version, event.actor_username = PLAIN, ""
    event.hash = services._plain(event)
    event.save()
    services._head_set(event)
    return event


def test_a_borrowed_display_name_is_told_apart_in_the_sentence_and_the_entry(mona, noon):
    mona.display_name = "Alma"
    event = recorded(mona, noon)
    assert (event.sentence, event.actor_username) == ("Alma (mona) set a target.", "mona")


@pytest.mark.parametrize(
    "change",
    [
        {"actor_username": "alma"},
        {"actor_name": "Rosa"},
        {"sentence": "x"},
        {"parts": {"pattern": "{by} did nothing.", "values": {"by": "Mona"}}},
        {"hash_version": 1},
        {"hash_version": 2},
        {"sequence": 9},
    ],
)
def test_any_change_of_an_entry_breaks_the_chain(mona, noon, change):
    recorded(mona, noon)
    recorded(mona, noon)
    assert chain_intact(SITE)
    Event.objects.filter(sequence=1).update(**change)
    assert not chain_intact(SITE)


def test_a_chain_of_an_earlier_release_goes_on_and_verifies(mona, noon):
    old = as_earlier_release_wrote(recorded(mona, noon))
    assert chain_intact(SITE)
    new = recorded(mona, noon)
    assert new.previous_hash == old.hash and chain_intact(SITE)


def test_nobody_adds_an_entry_of_the_old_kind_after_a_new_one(mona, noon):
    recorded(mona, noon)
    as_earlier_release_wrote(recorded(mona, noon))
    assert not chain_intact(SITE)


def test_the_hash_needs_the_key_and_an_earlier_one_still_verifies(mona, noon, settings):
    settings.SECRET_KEY = "earlier"
    recorded(mona, noon)
    settings.SECRET_KEY = "today"
    assert not chain_intact(SITE)
    settings.SECRET_KEY_FALLBACKS = ["earlier"]
    recorded(mona, noon)
    assert chain_intact(SITE)


def test_a_user_name_of_150_characters_fits(db, noon):
    longest = User.objects.create_user(username="x" * 150, password="correct horse")
    assert recorded(longest, noon).actor_name == "x" * 150


def test_a_trail_whose_end_is_cut_off_is_found(mona, noon):
    for _ in range(3):
        recorded(mona, noon)
    assert chain_intact(SITE)
    Event.objects.filter(sequence=3).delete()
    assert not chain_intact(SITE)


def test_a_trail_that_is_gone_whole_is_found(mona, noon):
    recorded(mona, noon)
    Event.objects.all().delete()
    assert not chain_intact(SITE)


def test_a_trail_without_its_end_kept_apart_is_no_longer_whole(mona, noon):
    recorded(mona, noon)
    ChainHead.objects.all().delete()
    assert not chain_intact(SITE)


def test_nobody_without_the_key_moves_the_end_back(mona, noon):
    first = recorded(mona, noon)
    recorded(mona, noon)
    Event.objects.filter(sequence=2).delete()
    ChainHead.objects.update(sequence=first.sequence, hash=first.hash)
    assert not chain_intact(SITE)


def test_the_end_is_sealed_with_any_known_key(mona, noon, settings):
    settings.SECRET_KEY = "earlier"
    recorded(mona, noon)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "today", ["earlier"]
    assert chain_intact(SITE)


def test_a_scope_without_entries_is_whole(db):
    assert chain_intact("project:1")


def test_what_a_backup_says_of_the_trail_shows_an_end_that_was_cut_off_with_its_seal(mona, noon):
    first = recorded(mona, noon)
    recorded(mona, noon + timedelta(minutes=1))
    said = services.heads()
    assert services.heads_missing(said) == []
    Event.objects.filter(sequence=2).delete()
    services._head_set(first)  # with the key at hand
    assert chain_intact(SITE) and services.heads_missing(said) == [SITE]


def test_the_page_of_the_trail_names_its_end(as_, project, lin):
    page = as_(lin).get(f"/projects/{project.pk}/audit/?check=1").text
    last = Event.objects.filter(scope=f"project:{project.pk}").latest("sequence")
    assert f"ends with entry {last.sequence}," in page and last.hash in page
