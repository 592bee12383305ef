"""Collect and annotate over the API: batches, uploads, dead letters, filters, the queue."""

import base64
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from apps.accounts.models import User
from apps.cases.simulation.source import png_of
from apps.datasets.models import DeadLetter, Example, Ingestion
from apps.integrations import wiring
from apps.labeling.models import Annotation, Label
from apps.loop import services
from apps.projects.models import Project
from tests import rows
from tests.api import api_of, at, post


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> rows.Sent:
    queue = rows.Sent([])
    monkeypatch.setattr(wiring, "jobs", queue)
    return queue


def counts(answer: Any) -> tuple[int, int, int]:
    return answer.json()["rows_taken"], answer.json()["rows_known"], answer.json()["rows_refused"]


def letters(project: Project) -> list[tuple[int, str, str]]:
    return list(DeadLetter.objects.filter(project=project).values_list("row_number", "external_id", "reason"))


def test_the_same_batch_twice_is_stored_once(project: Project, lin: User) -> None:
    batch = [{"id": "a", "text": "first"}, {"id": "b", "text": "second"}]
    first = post(lin, at(project, "examples/"), examples=batch)
    assert (first.status_code, counts(first)) == (201, (2, 0, 0))
    again = post(lin, at(project, "examples/"), examples=[*batch, {"id": "c", "text": "third"}])
    assert (again.status_code, counts(again)) == (201, (1, 2, 0))
    assert sorted(Example.objects.values_list("external_id", flat=True)) == ["a", "b", "c"]


def test_an_id_twice_in_one_batch_is_stored_once(project: Project, lin: User) -> None:
    answer = post(lin, at(project, "examples/"), examples=[{"id": "a", "text": "first"}, {"id": "a", "text": "other"}])
    assert counts(answer) == (1, 0, 1) and "shows something else" in letters(project)[0][2]
    assert Example.objects.get().fields == {"text": "first"}


def test_rows_that_do_not_fit_become_dead_letters_with_their_numbers_and_the_rest_is_taken(
    project: Project, mona: User
) -> None:
    answer = post(
        mona,
        at(project, "examples/"),
        examples=[
            {"id": "good", "text": "hello", "label": "ham"},
            {"text": "no id"},
            {"id": "empty", "text": "   "},
            {"id": "missing"},
            {"id": "wrong", "text": "hello", "label": "eggs"},
            {"id": "number", "text": 7},
            {"id": "too", "external_id": "x" * 201, "text": "hello"},
            {"id": "fine", "text": "also good"},
        ],
    )
    assert counts(answer) == (2, 0, 6)
    assert letters(project) == [
        (2, "", "The row has no “id” (or “external_id”)."),
        (3, "empty", "The text is empty."),
        (4, "missing", "The column “text” is missing."),
        (5, "wrong", "The label “eggs” is not in the project’s labels."),
        (6, "number", "The text is not text but a number or a list."),
        (7, "x" * 200, "The id has 201 characters; at most 200 fit."),
    ]
    assert Label.objects.get().example.external_id == "good"
    listed = api_of(mona).get(at(project, "dead-letters/"), {"ingestion": answer.json()["id"]}).json()
    assert [x["row_number"] for x in listed["results"]] == [2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize("batch", [[], "text", None, [1], [{"id": str(i), "text": "x"} for i in range(5001)]])
def test_a_batch_that_is_empty_or_too_long_or_no_batch_is_refused_whole(
    project: Project, lin: User, batch: object
) -> None:
    answer = post(lin, at(project, "examples/"), examples=batch)
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["examples"])
    assert not Example.objects.exists()
    assert not Ingestion.objects.exists()


def test_five_thousand_rows_are_taken_at_once(project: Project, lin: User) -> None:
    answer = post(lin, at(project, "examples/"), examples=[{"id": str(i), "text": f"text {i}"} for i in range(5000)])
    assert counts(answer) == (5000, 0, 0)


def test_an_image_that_is_not_whole_becomes_a_dead_letter(make_project: Callable[..., Project], mona: User) -> None:
    import numpy as np

    images = make_project("image-classification", labels=("0", "1"))
    whole = base64.b64encode(png_of(np.zeros((8, 8)))).decode()
    answer = post(
        mona,
        at(images, "examples/"),
        examples=[
            {"id": "whole", "image": whole, "label": "0"},
            {"id": "words", "image": "this is no picture"},
            {"id": "cut", "image": base64.b64encode(base64.b64decode(whole)[:40]).decode()},
            {"id": "gif", "image": "R0lGODlhAQABAIAAAAUEBAAAACwAAAAAAQABAAACAkQBADs="},
            {"id": "nothing", "image": None},
        ],
    )
    assert counts(answer) == (2, 0, 3)
    assert [(n, reason.split(" (")[0]) for n, _, reason in letters(images)] == [
        (2, "The image is neither bytes nor base64."),
        (3, "The image cannot be read: it is not a whole PNG, JPEG, WebP, GIF or BMP."),
        (5, "The column “image” is missing or empty."),
    ]


def test_a_table_row_without_features_becomes_a_dead_letter(make_project: Callable[..., Project], lin: User) -> None:
    table = make_project("tabular-classification", labels=("no", "yes"))
    answer = post(
        lin,
        at(table, "examples/"),
        examples=[{"id": "a", "age": 7, "job": "cook"}, {"id": "b", "label": "yes"}, {"id": "c", "age": None}],
    )
    assert counts(answer) == (1, 0, 2)
    assert [reason for _, _, reason in letters(table)] == [
        "There is no feature column beside id and label.",
        "Every feature is empty.",
    ]


def upload(user: User, project: Project, name: str, content: bytes) -> Any:
    file = SimpleUploadedFile(name, content)
    return api_of(user).post(at(project, "uploads/"), {"file": file}, format="multipart")


def test_an_upload_is_queued_read_and_watched(project: Project, mona: User, sent: rows.Sent) -> None:
    answer = upload(mona, project, "mails.csv", b"id,text,label\n1,hello,ham\n2,,ham\n3,bye,eggs\n1,again,spam\n")
    assert (answer.status_code, answer.json()["state"]) == (202, "queued")
    assert sent.jobs == [("loop.ingest", (answer.json()["id"],))]
    services.ingestion_read(ingestion_id=answer.json()["id"])
    watched = api_of(mona).get(at(project, f"ingestions/{answer.json()['id']}/")).json()
    assert (watched["state"], watched["rows_taken"], watched["rows_known"], watched["rows_refused"]) == (
        "completed",
        1,
        0,
        3,
    )
    assert [(n, reason) for n, _, reason in letters(project)] == [
        (2, "The text is empty."),
        (3, "The label “eggs” is not in the project’s labels."),
        (
            4,
            "An example with the id “1” is there and shows something else. What is there never changes: "
            "send this one under another id.",
        ),
    ]


def test_an_upload_while_redis_is_away_is_kept_for_the_sweep(project: Project, lin: User, sent: rows.Sent) -> None:
    sent.away = True
    answer = upload(lin, project, "mails.csv", b"id,text\n1,hello\n")
    assert (answer.status_code, Ingestion.objects.get().state) == (202, "queued")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        (
            "mails.docx",
            b"PK",
            "“mails.docx” is not a file we read. Send CSV, JSONL, Parquet, Label Studio JSON, CoNLL or COCO "
            "(ending .csv, .jsonl, .ndjson, .parquet, .tsv, .json, .conll, .bio, .zip).",
        ),
        ("mails.csv", b"", "“mails.csv” is empty."),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_at_the_door(
    project: Project, lin: User, name: str, content: bytes, words: str
) -> None:
    answer = upload(lin, project, name, content)
    assert (answer.status_code, answer.json()["detail"]) == (422, words)
    assert not Ingestion.objects.exists()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("broken.parquet", b"PAR1 and then nothing", "The Parquet file is broken: its footer or pages cannot be read."),
        (
            "latin.csv",
            b"id,text\n1,caf\xe9\n",
            "The file is not UTF-8 text. Save it as CSV in UTF-8 and send it again.",
        ),
        ("twice.csv", b"id,text,text\n1,a,b\n", "A column name stands twice in the header line: “text”."),
    ],
)
def test_a_file_that_breaks_while_it_is_read_says_why(
    project: Project, lin: User, name: str, content: bytes, words: str
) -> None:
    ingestion_id = upload(lin, project, name, content).json()["id"]
    services.ingestion_read(ingestion_id=ingestion_id)
    watched = api_of(lin).get(at(project, f"ingestions/{ingestion_id}/")).json()
    assert (watched["state"], watched["error"]) == ("failed", words)
    assert not Example.objects.exists()


def test_a_file_without_the_column_is_refused_row_by_row(project: Project, lin: User) -> None:
    ingestion_id = upload(lin, project, "mails.csv", b"id,body\n1,hello\n2,bye\n").json()["id"]
    services.ingestion_read(ingestion_id=ingestion_id)
    assert letters(project) == [(1, "1", "The column “text” is missing."), (2, "2", "The column “text” is missing.")]


def test_a_request_without_a_file_names_the_field(project: Project, lin: User) -> None:
    answer = api_of(lin).post(at(project, "uploads/"), {}, format="multipart")
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["file"])


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"labeled": "true"}, {"e0", "e1", "e2", "e3"}),
        ({"labeled": "false"}, {"raw"}),
        ({"holdout": "true", "labeled": "true"}, {"e0"}),
        ({"holdout": "false", "labeled": "true"}, {"e1", "e2", "e3"}),
        ({"text": "text 2"}, {"e2"}),
        ({"text": "raw"}, {"raw"}),
        ({"text": "nowhere"}, set()),
        ({"labeled": "perhaps"}, {"e0", "e1", "e2", "e3", "raw"}),
    ],
)
def test_examples_are_filtered(project: Project, lin: User, asked: dict[str, str], found: set[str]) -> None:
    rows.labeled(project, 4, held=1)
    post(lin, at(project, "examples/"), examples=[{"id": "raw", "text": "never labeled"}])
    answer = api_of(lin).get(at(project, "examples/"), asked).json()
    assert {x["external_id"] for x in answer["results"]} == found


def lease(user: User, project: Project, count: int = 1) -> Any:
    return post(user, at(project, "assignments/next/"), count=count).json()


def answered(user: User, project: Project, leased: dict[str, Any], **more: Any) -> Any:
    given = {
        "client_id": str(uuid.uuid4()),
        "assignment": leased["id"],
        "token": leased["token"],
        "label": "ham",
        **more,
    }
    return post(user, at(project, "annotations/"), **given)


@pytest.fixture
def three(project: Project, lin: User) -> Project:
    post(lin, at(project, "examples/"), examples=[{"id": f"m{i}", "text": f"message {i}"} for i in range(3)])
    return project


def test_ada_and_grace_never_lease_the_same_example(three: Project, ada: User, grace: User) -> None:
    adas = {x["external_id"] for x in lease(ada, three, 2)["assignments"]}
    graces = {x["external_id"] for x in lease(grace, three, 2)["assignments"]}
    assert (len(adas), len(graces), adas & graces) == (2, 1, set())


def test_an_answer_is_stored_once_however_often_it_is_sent(three: Project, ada: User) -> None:
    leased = lease(ada, three)["assignments"][0]
    assert leased["payload"] == {"text": f"message {leased['external_id'][1:]}"}
    client_id = str(uuid.uuid4())
    first = answered(ada, three, leased, client_id=client_id)
    again = answered(ada, three, leased, client_id=client_id)
    assert (first.status_code, again.status_code, again.json()) == (201, 201, first.json())
    assert (Annotation.objects.count(), Label.objects.get().label.name) == (1, "ham")


def test_undo_gives_the_example_back_and_keeps_the_withdrawn_answer(three: Project, ada: User) -> None:
    leased = lease(ada, three)["assignments"][0]
    client_id = answered(ada, three, leased).json()["client_id"]
    assert api_of(ada).delete(at(three, f"annotations/{client_id}/")).status_code == 204
    assert not Label.objects.exists()
    assert Annotation.objects.get().withdrawn_at is not None
    again = api_of(ada).delete(at(three, f"annotations/{client_id}/"))
    assert (again.status_code, again.json()["code"]) == (409, "cannot_undo")


def test_grace_cannot_undo_what_ada_said(three: Project, ada: User, grace: User) -> None:
    client_id = answered(ada, three, lease(ada, three)["assignments"][0]).json()["client_id"]
    assert api_of(grace).delete(at(three, f"annotations/{client_id}/")).status_code == 409
    assert Label.objects.count() == 1


@pytest.mark.parametrize(
    ("wrong", "status", "words"),
    [
        ({"label": "eggs"}, 422, "The label “eggs” is not in the project’s labels."),
        ({"label": "", "skip_reason": ""}, 422, "An answer is either a label or a reason to skip."),
        ({"skip_reason": "unclear"}, 422, "An answer is either a label or a reason to skip."),
        ({"label": "", "skip_reason": "bored"}, 400, "“fields”"),
        ({"token": str(uuid.UUID(int=0))}, 404, "This example was never given to you under this token."),
        ({"client_id": "mine"}, 400, "“fields”"),
    ],
)
def test_an_answer_that_does_not_fit_is_refused_and_not_stored(
    three: Project, ada: User, wrong: dict[str, str], status: int, words: str
) -> None:
    answer = answered(ada, three, lease(ada, three)["assignments"][0], **wrong)
    assert (answer.status_code, words in answer.json()["detail"]) == (status, True), answer.json()
    assert not Annotation.objects.exists()


def test_grace_cannot_answer_what_ada_holds(three: Project, ada: User, grace: User) -> None:
    leased = lease(ada, three)["assignments"][0]
    assert answered(grace, three, leased).status_code == 404
    assert not Annotation.objects.exists()


def test_an_empty_queue_says_why_and_until_when(three: Project, ada: User, grace: User) -> None:
    lease(ada, three, 3)
    nothing = lease(grace, three)
    assert nothing["assignments"] == []
    assert nothing["empty"]["sentence"] == "3 examples are left and held by others."
    assert nothing["empty"]["frees_at"] is not None


def test_labels_are_listed_with_their_source(three: Project, ada: User, lin: User) -> None:
    leased = lease(ada, three)["assignments"][0]
    answered(ada, three, leased, label="spam")
    found = api_of(lin).get(at(three, "labels/")).json()["results"]
    assert [(x["external_id"], x["label"], x["source"]) for x in found] == [
        (leased["external_id"], "spam", "consensus")
    ]
