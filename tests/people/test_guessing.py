"""Whoever guesses passwords waits ever longer, at every door; whoever knows theirs is let in."""

import threading
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts import hashing
from apps.audit.models import Event
from apps.errors import TooMany
from apps.people import guessing
from apps.people.models import SignInStreak

WRONG, RIGHT = "wrong", "correct horse"


def sign_in(password, username="ada", address="10.0.0.1", door="/sign-in/"):
    return Client().post(door, {"username": username, "password": password}, REMOTE_ADDR=address)


def verbs():
    return list(Event.objects.order_by("sequence").values_list("verb", flat=True))


@pytest.mark.parametrize("username", ["ada", "nobody-here"])
def test_after_five_wrong_passwords_the_sixth_is_not_even_looked_at(ada, username):
    for _ in range(5):
        assert sign_in(WRONG, username).status_code == 422
    refused = sign_in(RIGHT, username)
    assert refused.status_code == 429
    assert 25 <= int(refused["Retry-After"]) <= 30
    page = refused.content.decode()
    assert "Too many wrong passwords. The next attempt counts in" in page and f'value="{username}"' in page


def test_the_wait_doubles_and_ends_and_a_right_password_forgets_the_rest(ada):
    for _ in range(5):
        sign_in(WRONG)
    key = "name:ada at:10.0.0.1"
    for wait in (60, 120):
        SignInStreak.objects.update(locked_until=timezone.now() - timedelta(seconds=1))
        assert sign_in(WRONG).status_code == 422
        left = SignInStreak.objects.get(key=key).locked_until - timezone.now()
        assert wait - 5 < left.total_seconds() <= wait
    SignInStreak.objects.update(locked_until=None)
    assert sign_in(RIGHT).status_code == 302
    assert SignInStreak.objects.get(key=key).failures == 0
    assert sign_in(WRONG).status_code == 422


def test_a_guesser_elsewhere_does_not_lock_ada_out_at_once_but_many_addresses_do_slow_each_other(ada):
    for _ in range(5):
        sign_in(WRONG, address="10.6.6.6")
    assert sign_in(RIGHT, address="10.0.0.1").status_code == 302
    for number in range(20):
        sign_in(WRONG, address=f"10.7.0.{number}")
    assert sign_in(WRONG, address="10.8.0.1").status_code == 429


def test_one_address_that_tries_many_names_waits(ada):
    for number in range(40):
        sign_in(WRONG, username=f"name-{number}")
    assert sign_in(RIGHT).status_code == 429
    assert sign_in(RIGHT, address="10.0.0.2").status_code == 302


def test_an_account_of_ones_own_does_not_clear_the_address(ada, grace):
    for number in range(39):
        sign_in(WRONG, username=f"name-{number}")
        if number % 3 == 0:
            sign_in(RIGHT, "grace")
    assert SignInStreak.objects.get(key="at:10.0.0.1").failures == 39


@pytest.mark.parametrize("door", ["/sign-in/", "/sign-in/here/", "/admin/login/"])
def test_every_door_counts_and_refuses(ada, door):
    def at_door(password):
        given = {"username": "ada", "password": password}
        kind = {"content_type": "application/json"} if door == "/sign-in/here/" else {}
        return Client().post(door, given, **kind)

    for _ in range(5):
        assert at_door(WRONG).status_code != 429
    assert at_door(RIGHT).status_code == 429


@pytest.mark.django_db(transaction=True)
def test_guesses_at_the_same_moment_are_counted_one_by_one(ada):
    found = []
    threads = [threading.Thread(target=lambda: found.append(_in_thread())) for _ in range(12)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert found.count(422) == 5 and found.count(429) == 7


def _in_thread():
    from django.db import connection

    try:
        return sign_in(WRONG).status_code
    finally:
        connection.close()


def test_the_trail_tells_of_failures_and_waits_without_a_flood(ada):
    for _ in range(60):
        sign_in(WRONG)
        sign_in(WRONG, username="nobody-here")
    assert verbs() == ["person.sign_in_failed", "person.sign_in_locked", "person.sign_in_locked"]
    SignInStreak.objects.update(locked_until=None)
    sign_in(RIGHT)
    last = Event.objects.order_by("sequence").last()
    assert last.sentence == "Ada signed in from 10.0.0.1 after 5 wrong passwords."


def test_names_and_passwords_that_no_database_keeps_are_wrong_and_no_fault(ada):
    for given in ({"username": "\ud800", "password": "x"}, {"username": "ada", "password": "\ud800"}):
        answer = Client().post("/sign-in/here/", given, content_type="application/json")
        assert answer.status_code == 422
    assert sign_in("x" * 100_000).status_code == 422
    assert Client().post("/sign-in/here/", "[" * 50_000, content_type="application/json").status_code == 413


def test_the_line_for_hashing_is_short_and_says_so():
    line, gate = hashing.HashingLine(at_once=1, waiting=1), threading.Event()
    busy = [threading.Thread(target=line.done, args=(gate.wait, 10)) for _ in range(2)]
    for each in busy:
        each.start()
    while line._places._value:
        pass
    with pytest.raises(TooMany, match="Many people are signing in"):
        line.done(int)
    gate.set()
    for each in busy:
        each.join()
    assert line.done(int, "7") == 7


def test_hashes_are_djangos_own():
    from django.contrib.auth.hashers import PBKDF2PasswordHasher

    assert hashing.AsidePBKDF2PasswordHasher().encode("a", "salt", 10) == PBKDF2PasswordHasher().encode("a", "salt", 10)


def test_an_admins_link_lets_a_locked_name_in_again(ada):
    for _ in range(5):
        sign_in(WRONG)
    guessing.streaks_forget(username="ada")
    assert sign_in(RIGHT).status_code == 302
