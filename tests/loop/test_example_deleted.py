"""An example is deleted on request: gone everywhere, its number stays, its id is not taken again unasked."""

import uuid
from datetime import timedelta

import numpy as np
import pytest
from django.db import connection
from django.urls import reverse

from apps.audit.models import Event
from apps.audit.verbs import Verb
from apps.datasets.erasing import id_allow
from apps.datasets.models import DeadLetter, Example, ExampleBlob, ExampleTombstone
from apps.datasets.version_selectors import changed_lines, version_diff
from apps.datasets.versions import version_rows, version_write
from apps.errors import Invalid, NotFound
from apps.features.models import EmbeddingShard
from apps.features.shards import shard_write, vectors_at
from apps.integrations import wiring
from apps.labeling.bulk.search import SearchQuery, hits_of
from apps.labeling.lineage import labels_now
from apps.labeling.models import Annotation, Assignment, FrontierItem, Label, LabelSource
from apps.labeling.services.annotations import Answer, annotation_submit
from apps.labeling.services.assignments import QueueRequest, assignments_next
from apps.labeling.services.frontier import Origin, Scored, frontier_refill, frontier_swap
from apps.loop.examples.services import example_delete, vectors_clear, vectors_clear_sweep
from apps.monitoring.models import Prediction
from apps.work.names import Job
from tests.api import api_of
from tests.conftest import NOON
from tests.datasets.test_intake import ingest, png
from tests.rows import Sent

SECRET = "Grace lives at 5 Elm Street"


@pytest.fixture
def sent(monkeypatch):
    jobs = Sent([])
    monkeypatch.setattr(wiring, "jobs", jobs)
    return jobs


@pytest.fixture
def told(project):
    """An example that tells more than it should, with a label, among others."""
    ingest(project, [{"id": "grace", "text": SECRET}, *({"id": f"m{n}", "text": f"letter {n}"} for n in range(20))])
    example = Example.objects.get(external_id="grace")
    Example.objects.filter(pk=example.pk).update(holdout=False)
    _label(project, example)
    return example


def _label(project, example, source=LabelSource.CONSENSUS):
    more = {"holdout": False, "shown_at": NOON, "resolved_at": NOON}
    return Label.objects.create(project=project, example=example, label=project.labels.first(), source=source, **more)


def _delete(project, example, by, reason="Asked on 1 November."):
    return example_delete(project=project, example_id=example.pk, reason=reason, by=by, at=NOON)


def _rows_with(words):
    """Tables that hold these words anywhere."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        tables = [row[0] for row in cursor.fetchall()]
        held = []
        for table in tables:
            cursor.execute(f'SELECT count(*) FROM "{table}" t WHERE t::text LIKE %s', [f"%{words}%"])
            if cursor.fetchone()[0]:
                held.append(table)
    return held


def test_no_table_holds_its_words_any_more(project, told, mona, rosa):
    refused = {"row_number": 1, "external_id": "grace", "reason": "No.", "raw": SECRET, "at": NOON}
    DeadLetter.objects.create(project=project, ingestion=told.ingestion, **refused)
    assert len(_rows_with("Elm Street")) == 2
    _delete(project, told, mona)
    assert _rows_with("Elm Street") == []
    assert not hits_of(project, SearchQuery(words="Elm"), by=rosa, sees_all=True).ids


def test_its_number_stays_with_the_reason_and_who_it_was(project, told, mona, rosa, as_):
    number = told.pk
    _delete(project, told, mona)
    gone = ExampleTombstone.objects.get()
    assert (gone.number, gone.by, gone.reason) == (number, mona, "Asked on 1 November.")
    event = Event.objects.get(verb=Verb.EXAMPLE_DELETED)
    assert (event.subject, event.after) == (f"example {number}", {"reason": "Asked on 1 November."})
    shown = as_(rosa).get(reverse("examples:page", args=[project.pk, number]))
    assert shown.status_code == 404 and "Asked on 1 November." in shown.content.decode()
    assert "Asked on 1 November." in as_(rosa).get(reverse("datasets:deleted", args=[project.pk])).content.decode()


def test_without_a_reason_nothing_is_deleted(project, told, mona):
    for reason in ("", "  ", "x" * 301):
        with pytest.raises(Invalid):
            _delete(project, told, mona, reason)
    assert Example.objects.filter(pk=told.pk).exists() and not ExampleTombstone.objects.exists()
    with pytest.raises(NotFound):
        example_delete(project=project, example_id=told.pk + 10_000, reason="x", by=mona, at=NOON)


def test_whoever_holds_it_is_told_in_words(project, told, mona, ada):
    Label.objects.all().delete()
    frontier_refill(project=project, at=NOON, seed=1)
    FrontierItem.objects.exclude(example=told).delete()
    (held,) = assignments_next(QueueRequest(project=project, by=ada, count=1, at=NOON, seed=1))
    _delete(project, told, mona)
    with pytest.raises(NotFound, match="was deleted while you had it"):
        said = Answer(uuid.uuid4(), held.pk, held.token, label="ham")
        annotation_submit(project_id=project.pk, answer=said, by=ada, at=NOON)
    assert not Annotation.objects.exists() and not Assignment.objects.exists() and not FrontierItem.objects.exists()


def test_old_versions_keep_the_number_and_no_run_trains_on_it(project, told, mona):
    number = told.pk
    first = version_write(project_id=project.pk, rows=labels_now(project), at=NOON)
    other = Example.objects.get(external_id="m1")
    Example.objects.filter(pk=other.pk).update(holdout=False)
    _label(project, other)
    _delete(project, told, mona)
    second = version_write(project_id=project.pk, rows=labels_now(project), at=NOON)
    diff = version_diff(project, second.number)
    assert {c.row.example_id: c.kind.value for c in diff.changes} == {number: "removed", other.pk: "added"}
    line = next(x for x in changed_lines(project, list(diff.changes)) if x.row.example_id == number)
    assert line.example is None and line.summary == "deleted since"
    assert [r.example_id for r in version_rows(first)] == []
    assert [r.example_id for r in version_rows(second)] == [other.pk]


def test_its_vectors_leave_every_shard_by_a_job(
    project, told, mona, rosa, as_, sent, django_capture_on_commit_callbacks
):
    ids = np.array(sorted(Example.objects.values_list("pk", flat=True)), np.int64)
    for encoder in ("one", "two"):
        vectors = np.random.default_rng(1).normal(size=(len(ids), 4)).astype(np.float16)
        shard_write(
            project_id=project.pk, encoder=encoder, ids=ids, holdout=np.zeros(len(ids), bool), vectors=vectors, at=NOON
        )
    number, before = told.pk, {s.url for s in EmbeddingShard.objects.all()}
    with django_capture_on_commit_callbacks(execute=True):
        _delete(project, told, mona)
    assert (str(Job.VECTORS_CLEAR), (project.pk,)) in sent.jobs
    assert {s.url for s in EmbeddingShard.objects.all()} == before, "no shard is written while the request waits"
    listed = reverse("datasets:deleted", args=[project.pk])
    assert "its vectors are being taken out" in as_(rosa).get(listed).content.decode()
    told_by_api = api_of(rosa).get(f"/api/v1/projects/{project.pk}/deleted-examples/").json()["results"][0]
    assert told_by_api["cleared_at"] is None
    assert vectors_clear(project_id=project.pk, at=NOON) == 1
    assert ExampleTombstone.objects.get().cleared_at == NOON
    assert "its vectors are being taken out" not in as_(rosa).get(listed).content.decode()
    for encoder in ("one", "two"):
        _, found = vectors_at(project.pk, encoder, ids)
        assert ids[~found].tolist() == [number]
    after = EmbeddingShard.objects.all()
    assert all(s.rows == len(ids) - 1 for s in after) and not before & {s.url for s in after}


def test_a_job_that_encoded_it_before_it_was_deleted_writes_no_vector_of_it(project, told, mona):
    number, ids = told.pk, np.array(sorted(Example.objects.values_list("pk", flat=True)), np.int64)
    vectors = np.random.default_rng(1).normal(size=(len(ids), 4)).astype(np.float16)
    _delete(project, told, mona)
    assert vectors_clear(project_id=project.pk, at=NOON) == 1
    late = {"holdout": np.zeros(len(ids), bool), "vectors": vectors, "at": NOON}
    shard_write(project_id=project.pk, encoder="one", ids=ids, **late)
    _, found = vectors_at(project.pk, "one", ids)
    assert ids[~found].tolist() == [number]


def test_vectors_are_asked_to_go_again_until_they_are_gone(project, told, mona, sent):
    _delete(project, told, mona)
    sent.away = True
    soon, later = NOON + timedelta(seconds=20), NOON + timedelta(minutes=1)
    assert vectors_clear_sweep(at=soon) == [] and vectors_clear_sweep(at=later) == [project.pk]
    sent.away = False
    assert vectors_clear_sweep(at=later) == [project.pk] and sent.jobs == [(str(Job.VECTORS_CLEAR), (project.pk,))]
    assert vectors_clear(project_id=project.pk, at=later) == 1
    assert vectors_clear(project_id=project.pk, at=later) == 0 and vectors_clear_sweep(at=later) == []


def test_no_order_of_the_queue_offers_it_while_its_vector_still_stands(project, told, mona, sent):
    number = told.pk
    _delete(project, told, mona)
    picks = [Scored(number, {"strategy": "margin"})]
    assert frontier_swap(project=project, picks=picks, origin=Origin("margin", 1, run_number=1), at=NOON) == 0


def test_image_bytes_and_the_ids_of_logged_predictions_go(make_project, mona):
    pictures = make_project("image-classification", name="Pictures")
    ingest(pictures, [{"id": "p1", "image": png()}])
    (picture,) = Example.objects.filter(project=pictures)
    said = {"at": NOON, "model_number": 1, "label": "ham", "confidence": 0.9, "latency_ms": 1}
    Prediction.objects.create(project=pictures, inference_id="p1", **said)
    _delete(pictures, picture, mona)
    assert not ExampleBlob.objects.exists() and Prediction.objects.get().inference_id == ""


def test_a_copy_loses_the_label_that_it_had_of_it(project, told, mona):
    ingest(project, [{"id": "twin", "text": SECRET}])
    twin = Example.objects.get(external_id="twin")
    Label.objects.filter(pk=twin.pk).delete()
    _label(project, twin, LabelSource.DUPLICATE)
    _delete(project, told, mona)
    assert not Label.objects.filter(pk=twin.pk).exists() and Example.objects.filter(pk=twin.pk).exists()


def test_its_id_is_refused_until_somebody_allows_it(project, told, mona):
    number = told.pk
    _delete(project, told, mona)
    again = [{"id": "grace", "text": SECRET}, {"id": "new", "text": "fine"}]
    assert (ingest(project, again).rows_refused, Example.objects.filter(external_id="new").count()) == (1, 1)
    letter = DeadLetter.objects.get()
    assert "deleted on request" in letter.reason and letter.external_id == "" and SECRET not in letter.raw
    id_allow(project=project, number=number, by=mona, at=NOON)
    assert ingest(project, again).rows_refused == 0
    assert Example.objects.get(external_id="grace").pk != number


def test_another_project_with_the_same_id_keeps_its_own(make_project, told, project, mona):
    other = make_project()
    ingest(other, [{"id": "grace", "text": "x"}])
    _delete(project, told, mona)
    assert Example.objects.filter(project=other, external_id="grace").exists()
    assert ingest(other, [{"id": "grace", "text": "x"}]).rows_refused == 0


def test_the_uploaded_file_goes_with_it(project, told, mona, django_capture_on_commit_callbacks):
    url = wiring.storage().write("uploads/x.csv", SECRET.encode())
    told.ingestion.url, told.ingestion.state = url, "completed"
    told.ingestion.save()
    with django_capture_on_commit_callbacks(execute=True):
        _delete(project, told, mona)
    with pytest.raises(Exception, match="could not be read"):
        wiring.storage().read(url)


def test_the_page_and_the_api_delete_for_managers_only(as_, project, told, mona, rosa):
    address = reverse("examples:delete", args=[project.pk, told.pk])
    assert as_(rosa).post(address, {"reason": "x"}).status_code == 403
    base = f"/api/v1/projects/{project.pk}/"
    assert api_of(rosa).post(f"{base}examples/{told.pk}/delete/", {"reason": "x"}, format="json").status_code == 403
    known = api_of(rosa).get(f"{base}examples/{told.pk}/").json()
    assert (known["external_id"], known["label"], known["source"]) == ("grace", "ham", "consensus")
    assert as_(mona).post(address, {"reason": "Asked."}).status_code == 302
    other = Example.objects.first()
    done = api_of(mona).post(f"{base}examples/{other.pk}/delete/", {"reason": "Asked."}, format="json")
    assert done.status_code == 200 and done.json()["number"] == other.pk
    assert [x["number"] for x in api_of(mona).get(f"{base}deleted-examples/").json()["results"]] == sorted(
        [other.pk, told.pk], reverse=True
    )
    allowed = api_of(mona).post(f"{base}deleted-examples/{other.pk}/allow/", format="json").json()
    assert allowed["allowed_at"] and api_of(mona).get(f"{base}examples/{other.pk}/").status_code == 404
