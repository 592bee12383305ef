"""Moments, ids, names, headers and cells: what is taken, as what, and what is refused in words."""

import math
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from apps.rules.values import ValueRefused, cell_of, header_of, id_of, key_of, looks, moment_of, name_of, same_name

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
HALF_PAST_NINE = datetime(2026, 10, 13, 9, 30, tzinfo=UTC)
moments = st.datetimes(datetime.fromisoformat("1973-03-04"), datetime.fromisoformat("2026-11-29"))


@pytest.mark.parametrize(
    "given",
    [
        "2026-10-13T09:30:00Z",
        "2026-10-13 09:30",
        "2026-10-13 9:30",
        "20261013T093000Z",
        "2026-10-13T11:30:00+02:00",
        "2026-10-13 09:30:00 UTC",
        "2026/10/13 09:30:00",
        "13.10.2026 09:30",
        "13.10.2026, 09:30:00",
        "13/10/2026 09:30",
        "10/13/2026 9:30 AM",
        "13-10-2026 09:30",
        "13.10.2026 11:30 +02:00",
        "13 Oct 2026 09:30",
        "October 13, 2026 09:30",
        "Tue, 13 Oct 2026 09:30:00 GMT",
        1791883800,
        1791883800.0,
        1791883800000,
        1791883800000000,
        "1791883800",
        "1791883800000",
        Decimal("1791883800.0"),
        HALF_PAST_NINE,
        HALF_PAST_NINE.replace(tzinfo=None),
        HALF_PAST_NINE.astimezone(timezone(timedelta(hours=-7))),
    ],
)
def test_one_moment_in_many_spellings(given):
    assert moment_of(given, now=NOW) == HALF_PAST_NINE


@pytest.mark.parametrize("given", ["2026-10-13", "20261013", 20261013, "13.10.2026", date(2026, 10, 13), "2026-W42-2"])
def test_a_day_is_its_midnight(given):
    assert moment_of(given, now=NOW) == datetime(2026, 10, 13, tzinfo=UTC)


@pytest.mark.parametrize("given", [None, "", "  ", math.nan, Decimal("NaN")])
def test_nothing_said_is_no_moment_and_no_fault(given):
    assert moment_of(given, now=NOW) is None


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("0001-01-01T00:00:00+14:00", "outside 1970"),
        ("9999-12-31T23:59:59-12:00", "outside 1970"),
        ("1969-12-31T23:59:59Z", "outside 1970"),
        ("2026-12-01T00:00:00Z", "outside 1970"),
        (-1, "outside 1970"),
        (10**30, "outside 1970"),
        (math.inf, "outside 1970"),
        ("03/10/2026", "2026-10-03 or 2026-03-10"),
        ("13.10.26", "four digits"),
        (2026, "a year"),
        ("2026", "a year"),
        ("yesterday", "not understood"),
        ("31.02.2026", "not understood"),
        ("13/13/2026", "not understood"),
        ("13.10.2026 25:00", "not understood"),
        ("1.78012E+12", "not understood"),
        ("²", "not understood"),
        (True, "not a moment"),
        ([2026, 10, 13], "not a moment"),
        ({"$date": 5}, "not a moment"),
        ("9" * 5000, "not a moment"),
    ],
)
def test_what_is_no_moment_is_refused_in_words(given, words):
    with pytest.raises(ValueRefused, match=words):
        moment_of(given, now=NOW)


@given(moments, st.integers(-14 * 60, 14 * 60))
def test_a_moment_comes_out_as_it_went_in(moment, minutes):
    there = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    assert moment_of(there.isoformat(), now=NOW + timedelta(days=1)) == there


@given(moments)
def test_counts_since_1970_are_told_apart_by_their_size(moment):
    moment = moment.replace(microsecond=0, tzinfo=UTC)
    seconds = int(moment.timestamp())
    if len(str(seconds)) > 8:
        assert {moment_of(seconds * unit, now=NOW) for unit in (1, 10**3, 10**6)} == {moment}


@given(st.one_of(st.text(), st.integers(), st.floats(), st.binary(), st.none(), st.lists(st.integers())))
@example(-6.213559680000001e16)  # before the year 1
def test_anything_is_a_moment_within_bounds_or_refused(given):
    try:
        found = moment_of(given, now=NOW)
    except ValueRefused:
        return
    assert found is None or datetime(1970, 1, 1, tzinfo=UTC) <= found <= NOW + timedelta(days=1)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (18446744073709551617, "18446744073709551617"),
        (0, "0"),
        (1.0, "1"),
        (1.5, "1.5"),
        (Decimal("18446744073709551617"), "18446744073709551617"),
        ("\u00a0a-1 ", "a-1"),
        ("1.0", "1.0"),
    ],
)
def test_an_id_is_kept_exactly(given, name):
    assert id_of(given) == name


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (None, "no “id”"),
        (math.nan, "no “id”"),
        ("  ", "no “id”"),
        ("nan", "where there is none"),
        ("NULL", "where there is none"),
        (math.inf, "infinite"),
        (2.0**70, "lost its last digits"),
        (True, "true"),
        (b"r0", "bytes"),
        ({"$oid": "64f0"}, "an object"),
        (["a"], "a list"),
        ("a\x00b", "NUL"),
        ("a\nb", "control character"),
        ("a\u200bb", "U\\+200B"),
        ("\ud800", "half a character"),
        ("x" * 201, "201 characters"),
        (10**4000, "more than 200 digits"),
    ],
)
def test_what_is_no_id_is_refused_in_words(given, words):
    with pytest.raises(ValueRefused, match=words):
        id_of(given)


@given(st.one_of(st.text(), st.integers(), st.floats(), st.decimals(), st.binary(), st.booleans(), st.none()))
def test_an_id_once_taken_stays_itself(given):
    try:
        name = id_of(given)
    except ValueRefused:
        return
    assert id_of(name) == name and len(name.encode()) > 0 and len(name) <= 200


@pytest.mark.parametrize(
    "given", ["cafe\u0301", " caf\u00e9 ", "caf\u00e9\u200b", "\ufeffcaf\u00e9", "caf\u00e9\u00a0", "ca\u00adf\u00e9"]
)
def test_names_that_look_the_same_are_one_name(given):
    assert name_of(given, "The name") == "caf\u00e9" and looks(given) == looks("CAF\u00c9")
    assert same_name(given, ["tea", "caf\u00e9"]) == "caf\u00e9"


def test_a_label_kept_decomposed_is_found_composed_and_capitals_are_not_guessed():
    assert same_name("caf\u00e9", ["cafe\u0301"]) == "cafe\u0301"
    assert same_name("Tea", ["tea"]) is None


@pytest.mark.parametrize("given", ["", "\u200b", "late\ndelivery", "a\x00", "\ud800", "x" * 81])
def test_what_is_no_name_is_refused(given):
    with pytest.raises(ValueRefused, match="The name"):
        name_of(given, "The name")


@given(st.text())
def test_a_tidy_name_is_tidy(given):
    try:
        name = name_of(given, "The name", 10**6)
    except ValueRefused:
        return
    assert name_of(name, "The name", 10**6) == name and looks(name) == looks(given)


def test_keys_are_one_ascii_letter_or_digit():
    assert (key_of("a"), key_of("7"), key_of(" ")) == ("A", "7", "")
    for wrong in ("ß", "²", "ab", "?", "é", "\u0131"):
        with pytest.raises(ValueRefused, match="one letter from A to Z"):
            key_of(wrong)


RESERVED = ("id", "external_id", "label", "answer.value")


def test_reserved_columns_are_known_by_any_spelling_and_others_stay_as_they_are():
    found = header_of(["\ufeffID ", " Label", "ANSWER.VALUE", "Age", "", None, "Home town"], RESERVED)
    assert found.names == ("id", "label", "answer.value", "Age", None, None, "Home town")
    assert found.nameless == 2
    assert header_of(["External ID"], RESERVED).names == header_of(["external-id"], RESERVED).names == ("external_id",)


@pytest.mark.parametrize("given", [["a", "a"], ["label", " Label"], ["caf\u00e9", "cafe\u0301"], ["a b", "a\u00a0 b"]])
def test_twin_columns_are_refused(given):
    with pytest.raises(ValueRefused, match="twice"):
        header_of(given, RESERVED)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (math.nan, None),
        (2**63 - 1, 2**63 - 1),
        (Decimal("3"), 3),
        (Decimal("3.5"), 3.5),
        (b"ab", "ab"),
        (timedelta(minutes=1), 60.0),
        (date(2026, 10, 13), "2026-10-13"),
        (["a", {"b": 1}], '["a", {"b": 1}]'),
    ],
)
def test_a_cell_is_kept_as_json(given, kept):
    assert cell_of(given, "age") == kept


@pytest.mark.parametrize(
    "given",
    [
        math.inf,
        -math.inf,
        2**63,
        10**400,
        Decimal("1e400"),
        "a\x00",
        "\ud800",
        b"\xff",
        ["\x00"],
        {"\ud800": 1},
        object(),
    ],
)
def test_a_cell_that_nothing_can_carry_is_refused_by_its_column(given):
    with pytest.raises(ValueRefused, match="age"):
        cell_of(given, "age")


def test_a_cell_nested_without_end_is_refused():
    deep = []
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(ValueRefused, match="nested"):
        cell_of(deep, "age")
