"""Rows that are refused say why in the reader's language, whichever rule refused them; the record stays English."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import translation

from apps.datasets.models import DeadLetter, Ingestion
from apps.loop.services.intake import ingestion_read, upload_take
from apps.monitoring.feedback.services import feedback_take
from apps.pages.sentences import plain
from tests.conftest import NOON
from tests.datasets.test_intake import ingest

WRONG = [
    {"id": "1"},
    {"id": "2", "text": ""},
    {"id": "3", "text": "a\x00b"},
    {"id": "\ud800", "text": "x"},
    {"id": 1.5e300, "text": "x"},
    {"text": "no id"},
    {"id": "7", "text": "x", "collected_at": "01/02/2026"},
    {"id": "8", "text": "x", "label": "no such label"},
    {"id": "9", "text": "x", "answer.by": "ada"},
    {"id": "10", "text": "x", "label": "spam", "gold.value": "ham"},
    {"id": ["\x00", "\ud800"], "text": "what is quoted can be kept by nobody"},
]


@pytest.fixture
def spanish(as_, mona) -> Client:
    browser = as_(mona)
    browser.cookies["django_language"] = "es"
    return browser


def test_every_refused_row_is_told_in_spanish_and_kept_in_english(project, spanish):
    ingest(project, WRONG)
    letters = list(DeadLetter.objects.order_by("row_number"))
    assert len(letters) == len(WRONG)
    with translation.override("es"):
        told = [plain(letter.reason, letter.parts) for letter in letters]
    assert all(there != kept for there, kept in zip(told, (x.reason for x in letters), strict=True)), told
    assert letters[1].reason == "The text is empty." and told[1] == "El texto está vacío."
    assert told[6] == (
        "La hora en que se recogió no es un solo momento: «01/02/2026» puede ser 2026-02-01 o 2026-01-02. "
        "Escríbalo como 2026-10-31T09:30:00Z."
    )
    page = spanish.get(reverse("datasets:dead_letters", args=[project.pk])).content.decode()
    assert "El texto está vacío." in page and "The text is empty." not in page


def test_a_file_that_cannot_be_read_says_so_in_spanish(project, spanish, mona, monkeypatch):
    monkeypatch.setattr("apps.loop.services.intake.ingestion_send", lambda pk: None)
    body = b"id,id,text\n1,1,x\n"
    taken = upload_take(project=project, filename="twice.csv", size_bytes=len(body), chunks=[body], by=mona, at=NOON)
    ingestion_read(ingestion_id=taken.pk)
    assert Ingestion.objects.get().error == "A column name stands twice in the header line: “id”."
    page = spanish.get(reverse("datasets:data", args=[project.pk])).content.decode()
    assert "Un nombre de columna aparece dos veces en la cabecera: «id»." in page


def test_a_form_that_is_refused_answers_in_spanish(project, spanish):
    answer = spanish.post(reverse("loop:upload", args=[project.pk]), {"file": SimpleUploadedFile("notes.docx", b"PK")})
    assert "no es un archivo que leamos. Envíe CSV" in answer.content.decode()


def test_feedback_that_is_refused_is_told_in_spanish(project, spanish):
    feedback_take(
        project=project, rows=[{"label": "spam"}, {"inference_id": "a", "value": "x", "name": "click"}], at=NOON
    )
    page = spanish.get(reverse("feedback:feedback", args=[project.pk])).content.decode()
    assert "La fila no tiene «inference_id»" in page and "El valor no es un número: «x»." in page
