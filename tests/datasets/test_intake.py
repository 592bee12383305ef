"""What comes in: every bad file and row ends as a sentence, good rows are taken once, the holdout is set apart."""

import base64
import io
import json
from datetime import timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from apps.datasets import readers
from apps.datasets import services as datasets
from apps.datasets.models import DeadLetter, Example, Ingestion
from apps.datasets.readers import FileUnreadable, Row
from apps.errors import Invalid
from apps.labeling.models import Label
from apps.transfer.importing import Companions
from tests.conftest import NOON


def png(width=2, height=2):
    out = io.BytesIO()
    Image.new("L", (width, height)).save(out, "PNG")
    return out.getvalue()


def parquet(rows):
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), out)
    return out.getvalue()


def read(content, filename):
    return list(readers.rows_of(io.BytesIO(content), filename))


def ingest(project, rows, source="api", **more):
    ingestion = datasets.ingestion_open(project=project, source=source, by=None, at=NOON)
    numbered = [row if isinstance(row, Row) else Row(n, row) for n, row in enumerate(rows, 1)]
    beside = Companions(project, ingestion)
    return datasets.examples_ingest(ingestion=ingestion, rows=numbered, now=lambda: NOON, beside=beside, **more)


def reasons():
    return list(DeadLetter.objects.order_by("row_number").values_list("reason", flat=True))


# Files


@pytest.mark.parametrize(
    ("content", "filename", "sentence"),
    [
        (b"x", "pictures.rar", "is not a file we read"),
        (b"[]", "tasks.json", "is no table"),
        ('{"id": 1}'.encode("utf-16"), "a.jsonl", "UTF-16"),
        (b"x", "noname", "is not a file we read"),
        (b"", "a.csv", "The file is empty"),
        (b"", "a.jsonl", "The file is empty"),
        (b"", "a.parquet", "broken"),
        (b"PAR1 and then nothing", "a.parquet", "broken"),
        (parquet([{"id": "1", "text": "x"}])[:-9], "a.parquet", "broken"),
        ("id,text\n1,Grüße".encode("utf-16"), "a.csv", "not UTF-8"),
        ("id,text\n1,Grüße".encode("latin-1"), "a.csv", "not UTF-8"),
        (b"id,id\n1,2", "a.csv", "stands twice"),
    ],
)
def test_a_hopeless_file_is_refused_with_a_sentence(content, filename, sentence):
    with pytest.raises(FileUnreadable, match=sentence):
        read(content, filename)


def test_a_csv_row_with_too_many_fields_is_reported_and_passed_over():
    rows = read(b"id,text\n1,a\n2,b,c,d\n3,e", "a.csv")
    assert [row.values and row.values["id"] for row in rows] == ["1", None, "3"]
    assert rows[1].reason == "The row has 4 fields, the header 2."


def test_empty_csv_fields_are_nothing_and_a_byte_order_mark_is_no_part_of_the_name():
    assert read("\ufeffid,text\n1,\n".encode(), "A.CSV") == [Row(1, {"id": "1", "text": None})]


def test_a_csv_that_breaks_off_keeps_the_rows_before():
    rows = read(b'id,text\n1,a\n2,"b', "a.csv")
    assert rows[0].values == {"id": "1", "text": "a"}
    assert rows[1].values is None and "breaks off" in rows[1].reason


def test_a_line_that_is_not_json_is_reported_with_its_text():
    rows = read(b'{"id": 1}\nnot json\n\n[1]\n{"id": 2}', "a.ndjson")
    assert [row.number for row in rows] == [1, 2, 4, 5]
    assert rows[1].raw == "not json\n" and "not JSON" in rows[1].reason
    assert rows[2].reason == "The line is JSON but not an object."
    assert rows[3].values == {"id": 2}


def test_parquet_rows_come_with_their_count():
    content = parquet([{"id": "1", "text": "a"}, {"id": "2", "text": "b"}])
    assert [row.values["text"] for row in read(content, "a.parquet")] == ["a", "b"]
    assert readers.rows_expected(io.BytesIO(content), "a.parquet") == 2
    assert readers.rows_expected(io.BytesIO(b"rubbish"), "a.parquet") is None
    assert readers.rows_expected(io.BytesIO(b"id\n1"), "a.csv") is None


# Rows


def test_a_row_that_does_not_fit_is_kept_with_number_reason_and_text(project):
    done = ingest(
        project,
        [
            {"text": "no id"},
            {"id": "a"},
            {"id": "b", "text": "  "},
            {"id": "c", "text": 5},
            {"id": "d", "text": "x\x00y"},
            {"id": "e", "text": "x" * 20_001},
            {"id": "f", "text": "x", "label": "eggs"},
            {"id": "g" * 201, "text": "x"},
            Row(9, None, "The line is not JSON.", "{nope"),
            {"id": "ok", "text": "fine", "label": "ham"},
        ],
    )

    assert (done.rows_taken, done.rows_refused, done.rows_known) == (1, 9, 0)
    found = reasons()
    for reason, words in zip(
        found,
        [
            "no “id”",
            "“text” is missing",
            "text is empty",
            "not text but a number",
            "NUL",
            "at most 20,000",
            "“eggs” is not in",
            "201 characters",
            "not JSON",
        ],
        strict=True,
    ):
        assert words in reason
    assert json.loads(DeadLetter.objects.get(row_number=7).raw) == {"id": "f", "text": "x", "label": "eggs"}
    assert DeadLetter.objects.get(row_number=9).raw == "{nope"
    assert DeadLetter.objects.get(row_number=7).external_id == "f"


def test_bytes_in_a_refused_row_do_not_reach_the_page(make_project):
    ingest(make_project("image-classification"), [{"id": "a", "image": b"GIF89a" * 1000}])
    assert DeadLetter.objects.get().raw == '{"id": "a", "image": "6,000 bytes"}'


def test_the_same_rows_a_second_time_change_nothing(project):
    rows = [{"id": str(n), "text": f"t{n}"} for n in range(10)]
    ingest(project, rows)
    again = ingest(project, rows)
    assert (again.rows_taken, again.rows_known, again.rows_refused) == (0, 10, 0)

    others = ingest(project, [{**row, "text": "other"} for row in rows])
    assert (others.rows_taken, others.rows_known, others.rows_refused) == (0, 0, 10)
    assert "“3” is there and shows something else" in reasons()[3]
    assert Example.objects.count() == 10
    assert Example.objects.get(external_id="3").fields == {"text": "t3"}


def test_of_two_rows_with_one_id_the_first_is_taken(project):
    rows = [{"id": "a", "text": "first"}, {"id": "a", "text": "second"}, {"id": " a ", "text": "third"}]
    done = ingest(project, [*rows, {"id": "a", "text": "first"}])
    assert (done.rows_taken, done.rows_known, done.rows_refused) == (1, 1, 2)
    assert Example.objects.get().fields == {"text": "first"}
    assert all("shows something else" in reason for reason in reasons())


def test_the_same_id_in_two_projects_is_two_examples(make_project):
    for project in (make_project(), make_project()):
        ingest(project, [{"id": "a", "text": "x"}])
    assert Example.objects.count() == 2


def test_labels_that_come_along_are_kept(project):
    rows = [{"id": "a", "text": "x", "label": " ham "}, {"id": "b", "text": "y", "label": ""}]
    ingest(project, rows)
    assert [(x.example.external_id, x.label.name, x.source) for x in Label.objects.all()] == [("a", "ham", "imported")]


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (b"\x89PNG\r\n\x1a\n and then rubbish", "not a whole PNG"),
        (png()[:-20], "not a whole PNG"),
        (b"GIF89a\x01\x00\x01\x00\x00\x00\x00;", "not a whole PNG"),
        ("!!! not base64 !!!", "neither bytes nor base64"),
        (None, "missing or empty"),
        (png(16_385, 1), "16384 a side"),
    ],
)
def test_an_image_that_is_none_is_refused(make_project, image, words):
    done = ingest(make_project("image-classification"), [{"id": "a", "image": image}])
    assert (done.rows_taken, done.rows_refused) == (0, 1)
    assert words in reasons()[0].replace(",", "")


@pytest.mark.parametrize("encoded_as", ["JPEG", "WEBP", "GIF", "BMP"])
def test_a_photo_is_kept_byte_for_byte_with_the_size_that_a_person_sees(make_project, encoded_as):
    out, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (40, 30)).save(out, encoded_as, exif=exif)
    done = ingest(make_project("image-classification"), [{"id": "a", "image": out.getvalue()}])
    assert (done.rows_taken, reasons()) == (1, [])
    example = Example.objects.get()
    turned = {"width": 30, "height": 40, "orientation": 6}
    assert example.fields == (turned if encoded_as in ("JPEG", "WEBP") else {"width": 40, "height": 30})
    assert bytes(example.blob.content) == out.getvalue()


def test_images_come_as_bytes_base64_data_addresses_and_the_hugging_face_way(make_project):
    text = base64.b64encode(png()).decode()
    done = ingest(
        make_project("image-classification"),
        [
            {"id": "a", "image": png()},
            {"id": "b", "image": text},
            {"id": "c", "image": f"data:image/png;base64,{text}"},
            {"id": "d", "image": {"bytes": png(), "path": None}},
        ],
    )
    assert done.rows_taken == 4
    assert bytes(Example.objects.get(external_id="c").blob.content) == png()


def test_a_table_row_keeps_its_features_and_needs_one(make_project):
    project = make_project("tabular-classification")
    done = ingest(project, [{"id": "a", "age": 5, "income": float("nan")}, {"id": "b"}, {"id": "c", "age": None}])
    assert (done.rows_taken, done.rows_refused) == (1, 2)
    assert Example.objects.get().fields == {"features": {"age": 5, "income": None}}


def test_about_the_wanted_share_is_set_apart_and_stays_so(make_project):
    project = make_project(holdout_share=0.2)
    rows = [{"id": f"m{n}", "text": f"text {n}"} for n in range(2000)]
    ingest(project, rows)
    first = set(Example.objects.filter(holdout=True).values_list("external_id", flat=True))
    assert 0.16 < len(first) / 2000 < 0.24

    Example.objects.all().delete()
    ingest(project, reversed(rows))
    assert set(Example.objects.filter(holdout=True).values_list("external_id", flat=True)) == first


def test_a_time_that_is_given_counts_but_never_the_future_and_is_never_guessed(project):
    ingest(
        project,
        [
            {"id": "a", "text": "x", "collected_at": "2026-11-01T10:00:00"},
            {"id": "b", "text": "x", "timestamp": (NOON + timedelta(hours=2)).isoformat()},
            {"id": "e", "text": "x", "collected_at": "", "timestamp": 1780123012345},
            {"id": "f", "text": "x", "collected_at": "0001-01-01T00:00:00+14:00"},
            {"id": "g", "text": "x", "collected_at": "2027-01-01T00:00Z"},
            {"id": "c", "text": "x", "collected_at": "yesterday"},
            {"id": "d", "text": "x", "collected_at": "2026-99-99"},
        ],
    )
    found = dict(Example.objects.values_list("external_id", "collected_at"))
    assert found["a"].isoformat() == "2026-11-01T10:00:00+00:00"
    assert found["b"] == NOON and found["e"].isoformat() == "2026-05-30T06:36:52.345000+00:00"
    assert set(found) == {"a", "b", "e"}
    assert all("The time it was collected is not a moment" in reason for reason in reasons())


# Uploads and their reading


@pytest.mark.parametrize(("filename", "size"), [("a.exe", 5), ("a.csv", 0), ("", 5)])
def test_an_upload_that_cannot_be_read_makes_no_ingestion(project, mona, filename, size):
    with pytest.raises(Invalid):
        datasets.upload_receive(project=project, filename=filename, size_bytes=size, chunks=[b"x"], by=mona, at=NOON)
    assert not Ingestion.objects.exists()


def test_a_file_is_claimed_by_one_reader_until_that_one_stalls(project):
    ingestion = datasets.ingestion_open(project=project, source="upload", by=None, at=NOON)
    assert datasets.ingestion_claim(ingestion_id=ingestion.pk, at=NOON)
    assert datasets.ingestion_claim(ingestion_id=ingestion.pk, at=NOON) is None
    assert datasets.ingestion_claim(ingestion_id=ingestion.pk, at=NOON + 2 * datasets.STALLED)


def test_a_second_reading_counts_afresh(project):
    ingestion = datasets.ingestion_open(project=project, source="upload", by=None, at=NOON)
    rows = [Row(1, {"id": "a", "text": "x"}), Row(2, {"id": "b"})]
    for at in (NOON, NOON + 2 * datasets.STALLED):
        claimed = datasets.ingestion_claim(ingestion_id=ingestion.pk, at=at)
        datasets.examples_ingest(ingestion=claimed, rows=rows, now=lambda at=at: at)
    claimed.refresh_from_db()
    assert (claimed.rows_taken, claimed.rows_known, claimed.rows_refused) == (0, 1, 1)
    assert DeadLetter.objects.count() == 1
