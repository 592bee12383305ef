"""Tables as the world writes them: nothing of them is lost without a word, misread, or kept to do harm later."""

import io
import json
from datetime import date, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from apps.datasets.models import DeadLetter, Example
from apps.datasets.readers import FileUnreadable
from apps.labeling.models import Label
from tests.transfer.conftest import taken

TEXTS = ("The tram was late", "Parcel came early", "Soup was cold", "Friendly staff")
GOOD = [(str(n), text, label) for n, (text, label) in enumerate(zip(TEXTS, ("ham", "spam") * 2, strict=True), 1)]


def csv_of(header, delimiter=",", first=""):
    return "\n".join([*([first] if first else []), header, *(delimiter.join(row) for row in GOOD), ""]).encode()


def lines(*rows):
    return "\n".join(json.dumps(row) for row in rows).encode()


def parquet(columns, names=None):
    out = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(list(columns.values()), names=names or list(columns)), out)
    return out.getvalue()


def reasons():
    return list(DeadLetter.objects.order_by("row_number").values_list("reason", flat=True))


def labels():
    return {x.example.external_id: x.label.name for x in Label.objects.select_related("label", "example")}


def ids():
    return set(Example.objects.values_list("external_id", flat=True))


FOUR = {"1": "ham", "2": "spam", "3": "ham", "4": "spam"}


@pytest.fixture
def table(make_project):
    return make_project("tabular-classification")


@pytest.mark.parametrize(
    ("content", "filename"),
    [
        (csv_of("id;text;label", ";"), "a.csv"),
        (csv_of("id\ttext\tlabel", "\t"), "a.csv"),
        (csv_of("id\ttext\tlabel", "\t"), "a.tsv"),
        (csv_of("id|text|label", "|"), "a.csv"),
        (csv_of("id;text;label", ";", first="sep=;"), "a.csv"),
        (csv_of("id,text,label", ",", first="sep=,"), "a.csv"),
        (b"\xef\xbb\xbf" + csv_of("id;text;label", ";", first='"sep=;"'), "a.csv"),
        (csv_of("id,text, label"), "a.csv"),
        (csv_of("ID , Text,Label"), "a.csv"),
        (csv_of("External ID,text,LABEL"), "a.csv"),
        (csv_of("id,text,label").replace(b"\n", b"\r\n"), "a.csv"),
        (csv_of("id,text,label").replace(b"\n", b"\r"), "a.csv"),
        (lines(*({"id": i, "text": t, "Label": n} for i, t, n in GOOD)), "a.json"),
        (json.dumps([{"id": i, "text": t, " label": n} for i, t, n in GOOD]).encode(), "a.json"),
        (
            parquet({"id": pa.array([1, 2, 3, 4]), "Text": pa.array(TEXTS), "label": pa.array([g[2] for g in GOOD])}),
            "a.parquet",
        ),
        (
            parquet(
                {
                    "id": pa.array([b"1", b"2", b"3", b"4"]),
                    "text": pa.array([t.encode() for t in TEXTS]),
                    "label": pa.array([g[2].encode() for g in GOOD], pa.large_binary()),
                }
            ),
            "a.parquet",
        ),
    ],
)
def test_a_table_is_read_however_it_is_written(project, content, filename):
    done = taken(project, content, filename)
    assert (done.rows_taken, reasons()) == (4, [])
    assert labels() == FOUR
    assert set(Example.objects.values_list("fields__text", flat=True)) == set(TEXTS)


@pytest.mark.parametrize(
    ("content", "filename", "words"),
    [
        (csv_of("id,text,label").decode().encode("utf-16-le"), "a.csv", "UTF-16"),
        (csv_of("id,text,label").decode().encode("utf-16-be"), "a.csv", "UTF-16"),
        (csv_of("id,text,label").decode().encode("utf-16"), "a.csv", "UTF-16"),
        (lines({"id": 1, "text": "x"}).decode().encode("utf-16-le"), "a.jsonl", "UTF-16"),
        (b"id,label, Label\n1,a,b\n", "a.csv", "“label” and “ Label” are both “label”"),
        (b" \n", "a.csv", "no header line"),
        (b'id,"te"xt\n1,a\n', "a.csv", "header line is no CSV"),
        (parquet({"a": pa.array([1]), "b": pa.array([2])}, ["age", "age"]), "a.parquet", "stands twice"),
    ],
)
def test_a_hopeless_table_is_refused_once_in_words(project, content, filename, words):
    with pytest.raises(FileUnreadable, match=words):
        taken(project, content, filename)
    assert not Example.objects.exists()


def test_an_answer_under_another_spelling_is_no_feature(table):
    for n, header in enumerate(("id,age, label", "id,age,LABEL", "id,age,Answer.Value")):
        taken(table, f"{header}\n{n}a,21,ham\n{n}b,22,spam\n".encode(), "a.csv")
    assert reasons() == []
    assert {tuple(f["features"]) for f in Example.objects.values_list("fields", flat=True)} == {("age",)}
    assert Label.objects.count() == 6


def test_columns_that_are_left_out_are_said(table, make_project):
    from apps.transfer.importing import Companions

    beside = Companions(table)
    assert beside.named({"": 0, "id": 1, "age": 2, "group": "A", "Split": "north"}) == {"id": 1, "age": 2}
    assert beside.naming.left_out == {"": "nameless", "group": "reserved", "Split": "reserved"}
    texts = Companions(make_project())
    texts.named({"id": 1, "text": "x", "category": "a", "timestamp": 1})
    assert texts.naming.left_out == {"category": "not_shown"}


def test_a_row_too_short_is_refused_as_one_too_long_is(table):
    done = taken(table, b"id,age,city,label\n1,30,Rome,ham\n2,31\n\n3,32,Oslo,spam\n", "a.csv")
    assert (done.rows_taken, reasons()) == (2, ["The row has 2 fields, the header 4."])


def test_a_stray_quote_costs_its_own_row_only(project):
    content = b'id,text,label\n1,"The "best" soup",spam\n2,"never closed,ham\n3,Soup,ham\n4,Staff,ham\n'
    done = taken(project, content, "a.csv")
    assert (done.rows_taken, ids()) == (2, {"3", "4"})
    assert ["line 2" in reasons()[0], "line 3" in reasons()[1]] == [True, True]


def test_one_line_that_is_not_utf_8_costs_its_own_row_only(project):
    done = taken(project, b"id,text\n1,a\n2,\xff\n3,c\n", "a.csv")
    assert (done.rows_taken, ids()) == (2, {"1", "3"}) and "Line 3 of the file is not UTF-8" in reasons()[0]


def test_the_same_id_with_another_text_is_refused_within_a_file_and_across_files(project):
    content = b"id,text,label\n1,late,ham\n2,early,spam\n1,other,spam\n1,late,ham\n"
    done = taken(project, content, "a.csv")
    assert (done.rows_taken, done.rows_known, done.rows_refused) == (2, 1, 1)
    again = taken(project, b"id,text\n1,late\n2,other\n", "b.csv")
    assert (again.rows_taken, again.rows_known, again.rows_refused) == (0, 1, 1)
    assert all("shows something else" in reason for reason in reasons()) and labels() == {"1": "ham", "2": "spam"}


def test_another_label_for_what_has_one_is_refused_and_not_known_already(project):
    taken(project, b"id,text,label\n1,a,ham\n", "a.csv")
    done = taken(project, b"id,label\n1,spam\n1,ham\n", "b.csv")
    assert (done.rows_taken, done.rows_known, done.rows_refused) == (0, 1, 1)
    assert "has another label already" in reasons()[0] and labels() == {"1": "ham"}
    both = taken(project, b"id,text,label\n2,b,ham\n2,b,spam\n", "c.csv")
    assert (both.rows_taken, both.rows_refused, labels()["2"]) == (1, 1, "ham")


def test_ids_past_64_bits_stay_exact(project):
    first = 2**64 + 1
    content = b"\n".join(b'{"id": %d, "text": "t%d"}' % (first + n, n) for n in range(4))
    assert taken(project, content, "a.jsonl").rows_taken == 4
    assert ids() == {str(first + n) for n in range(4)}


def test_ids_that_are_no_ids_are_refused_in_words(project):
    rows = [{"$oid": "64f0"}, ["a"], True, None, "", "NaN", 2.0**70]
    done = taken(project, lines(*({"id": x, "text": "x"} for x in rows)), "a.jsonl")
    assert (done.rows_taken, done.rows_refused) == (0, 7)
    for reason, words in zip(
        reasons(), ("an object", "a list", "true", "no “id”", "no “id”", "NaN", "digits"), strict=True
    ):
        assert words in reason


def test_a_float_column_of_ids_and_labels_with_gaps(make_project):
    project = make_project(labels=("0", "1"))
    content = parquet(
        {
            "id": pa.array([1.0, float("nan"), None, 4.0]),
            "text": pa.array(TEXTS),
            "label": pa.array([1.0, 0.0, 0.0, float("nan")]),
        }
    )
    done = taken(project, content, "a.parquet")
    assert (done.rows_taken, done.rows_refused, labels()) == (2, 2, {"1": "1"})
    assert ids() == {"1", "4"} and all("no “id”" in reason for reason in reasons())


@pytest.mark.parametrize(
    "odd",
    [
        pa.array([0, 2**30], pa.date32()),
        pa.array([0, 2**60], pa.duration("s")),
        pa.array([0, 2**62], pa.timestamp("us")),
        pa.array([0, 2**40], pa.timestamp("us", "Not/AZone")),
    ],
    ids=lambda x: str(x.type),
)
def test_values_that_no_calendar_knows_refuse_their_row(table, odd):
    done = taken(table, parquet({"id": pa.array(["a", "b"]), "age": pa.array([1, 2]), "when": odd}), "a.parquet")
    assert done.rows_taken + done.rows_refused == 2 and done.rows_refused >= 1
    assert "nothing here can keep" in reasons()[-1]


def test_moments_and_days_of_parquet_are_kept_as_text_and_nanoseconds_cut(table):
    nanoseconds = pa.array([1_780_123_012_345_678_901], pa.timestamp("ns"))
    columns = {"id": pa.array(["a"]), "day": pa.array([date(2026, 10, 1)]), "at": nanoseconds}
    taken(table, parquet({**columns, "took": pa.array([timedelta(seconds=90)])}), "a.parquet")
    assert Example.objects.get().fields["features"] == {
        "day": "2026-10-01",
        "at": "2026-05-30T06:36:52.345678",
        "took": 90.0,
    }


def test_a_parquet_file_that_unpacks_without_end_is_cut_off(project, monkeypatch):
    monkeypatch.setattr("apps.datasets.readers.parquet.RATIO_FROM", 1_000_000)
    content = parquet({"id": pa.array([str(n) for n in range(3000)]), "text": pa.array(["x" * 19_000] * 3000)})
    done = taken(project, content, "a.parquet")
    assert done.rows_taken < 3000 and "The rest was not read" in reasons()[-1]


@pytest.mark.parametrize("spelled", ["cafe\u0301", "caf\u00e9\u200b", "\u00a0caf\u00e9"])
def test_a_label_that_looks_the_same_is_that_label(make_project, spelled):
    project = make_project(labels=("caf\u00e9", "late delivery"))
    rows = {"id": 1, "text": "a", "label": spelled}, {"id": 2, "text": "b", "label": "late\u00a0delivery"}
    taken(project, lines(*rows), "a.jsonl")
    assert (reasons(), labels()) == ([], {"1": "caf\u00e9", "2": "late delivery"})


@pytest.mark.parametrize(
    ("feature", "words"),
    [
        ("1e999", "not JSON"),
        ("NaN", "not JSON"),
        ("9" * 401, "not JSON"),
        (str(2**70), "past 64 bits"),
        ('"a\\u0000b"', "NUL"),
        ('"\\ud800"', ""),
        ("[" * 100 + "]" * 100, "nested"),
        ('1, "age": 2', "“age” twice"),
    ],
)
def test_what_nothing_can_carry_is_refused_at_the_door(table, feature, words):
    done = taken(table, b'{"id": 1, "age": %s}\n{"id": 2, "age": 5}' % feature.encode(), "a.jsonl")
    assert (done.rows_taken, done.rows_refused) == (1, 1) and words in reasons()[0]


def test_one_answer_past_the_calendar_is_refused(project, ada):
    rows = [
        {"id": n, "text": f"t{n}", "answer.by": "ada", "answer.value": "ham", "answer.at": at}
        for n, at in enumerate(("2026-10-01T00:00:00Z", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00"))
    ]
    done = taken(project, lines(*rows), "a.jsonl")
    assert (done.rows_taken, done.rows_refused) == (1, 2)
    assert all("lies outside 1970" in reason for reason in reasons())


def test_a_row_that_the_database_refuses_stands_alone(project, monkeypatch):
    from apps.datasets import batches

    store = batches._store

    def failing(intake, fresh, at):
        if any(x.external_id == "7" for x in fresh):
            raise TypeError("nobody foresaw this")
        store(intake, fresh, at)

    monkeypatch.setattr(batches, "_store", failing)
    done = taken(project, lines(*({"id": n, "text": f"t{n}"} for n in range(10))), "a.jsonl")
    assert (done.rows_taken, done.rows_refused) == (9, 1)
    assert ids() == {str(n) for n in range(10)} - {"7"} and "could not be stored" in reasons()[0]


def test_a_cell_of_brackets_without_end_is_text_on_its_way_in_and_out(table):
    from tests.transfer.conftest import written

    deep = "[" * 100_000
    taken(table, lines({"id": 1, "age": deep[:19_000], "label": "ham"}), "a.jsonl")
    content = written(table, "csv", "labels")
    assert deep[:19_000].encode() in content
    taken(table, f"id,age,answer.value\n2,{deep},ham\n3,5,ham\n".encode(), "b.csv")
    assert ids() >= {"1", "3"}
