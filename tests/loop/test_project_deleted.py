"""A project is deleted for good: no row and no file of it is left, whoever dies on the way, and one line says what went."""

import re
from datetime import timedelta
from pathlib import Path

import fsspec
import pytest
from django.db import connection
from django.urls import reverse
from django_celery_beat.models import PeriodicTask

from apps.audit.models import Cursor, Event
from apps.audit.services import SITE, chain_intact, project_scope
from apps.errors import Invalid
from apps.features.models import Encoder, WeightsIn
from apps.integrations import wiring
from apps.labeling.models import ScoringPart, ScoringPass
from apps.loop.closing import deleting
from apps.loop.closing.deleting import deletion_work, deletions_sweep
from apps.loop.closing.owned import FOLDERS, loosened, owned_tables
from apps.loop.closing.services import NotArchived, project_archive, project_delete
from apps.monitoring.models import Prediction
from apps.people.links import invitation_make
from apps.people.models import OneTimeLink
from apps.projects.models import DeletionState, Project, ProjectDeletion
from apps.releases.models import Mirrored
from apps.releases.selectors import served
from apps.training.models import OnlineLearner, Run, RunState
from apps.training.services.schedules import schedules_ensure
from apps.work.names import Job
from tests import rows
from tests.api import api_of, at
from tests.architecture.test_roles import things
from tests.conftest import NOON

LATER = NOON + timedelta(hours=1)


@pytest.fixture
def sent(monkeypatch):
    jobs = rows.Sent([])
    monkeypatch.setattr(wiring, "jobs", jobs)
    return jobs


@pytest.fixture
def full(project, lin, ada, mona, sent):
    """A project with one of most things, and a file in each folder."""
    things(project, lin, ada)
    ProjectDeletion.objects.all().delete()
    schedules_ensure(project=project, at=NOON)
    OnlineLearner.objects.create(project=project)
    Run.objects.filter(project=project, state=RunState.RUNNING).update(leased_until=None)
    for folder in FOLDERS:
        wiring.storage().write(f"{folder}/{project.pk}/deep/file", b"held")
    scoring = ScoringPass.objects.create(project=project, requested_at=NOON, strategy="margin", newest_example=1)
    url = wiring.storage().write(f"scoring/{scoring.pk}/1.npz", b"candidates")
    ScoringPart.objects.create(scoring=scoring, number=1, url=url, sent_at=NOON)
    run = Run.objects.filter(project=project).first()
    tuned = {"title": "Tuned", "payload": "text", "weights_in": WeightsIn.RUN, "added_at": NOON}
    Encoder.objects.create(name=f"tuned-{run.pk}", run_id=run.pk, **tuned)
    Mirrored.objects.create(run=run, tracking_run="abc")
    Cursor.objects.create(reader="webhooks", scope=project_scope(project.pk), sequence=1)
    return project_archive(project=project, by=mona, at=NOON)


def _delete(project, by, reason="The contract ended."):
    return project_delete(project=project, name=project.name, reason=reason, by=by, at=NOON)


def _work(project_id):
    deletion_work(number=project_id, now=lambda: LATER)


def _naming(project_id):
    """Tables with a column `project_id`, keys or not, that hold this one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.columns WHERE column_name = 'project_id'")
        held = []
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT count(*) FROM "{table}" WHERE project_id = %s', [project_id])
            held += [table] if cursor.fetchone()[0] else []
        return held


def _files(project_id):
    filesystem, root = fsspec.core.url_to_fs(wiring.storage().root)
    return [name for name in filesystem.find(root) if f"/{project_id}/" in name[len(root) :]]


def test_no_table_holds_a_row_of_it_and_no_file_is_left(make_project, full, lin, ada, mona):
    other = make_project(name="Stays")
    kept = _sizes_of(other)
    filled = [table.name for table in owned_tables() if table.rows(full.pk).exists()]
    assert len(filled) > 25 and len(_naming(full.pk)) >= 20 and len(_files(full.pk)) >= len(FOLDERS)
    scored = ScoringPart.objects.get().url
    _delete(full, mona)
    _work(full.pk)
    assert ProjectDeletion.objects.get(number=full.pk).state == DeletionState.COMPLETED
    assert [table.name for table in owned_tables() if table.rows(full.pk).exists()] == []
    assert _naming(full.pk) == [] and _files(full.pk) == []
    filesystem, path = fsspec.core.url_to_fs(scored)
    assert not filesystem.exists(path)
    assert not Project.objects.filter(pk=full.pk).exists()
    assert (
        not Event.objects.filter(scope=project_scope(full.pk)).exists()
        and not Cursor.objects.filter(scope=project_scope(full.pk)).exists()
    )
    assert not PeriodicTask.objects.filter(name__startswith=f"project {full.pk}:").exists()
    assert not Encoder.objects.filter(weights_in=WeightsIn.RUN).exists()
    assert _sizes_of(other) == kept, "another project lost something"


def _sizes_of(project):
    return {table.name: table.rows(project.pk).count() for table in owned_tables()}


def test_one_line_says_who_when_why_and_how_many_of_what(full, mona):
    examples = full.examples.count()
    _delete(full, mona)
    _work(full.pk)
    event = Event.objects.get(scope=SITE, verb="project.deleted")
    assert (event.actor, event.at, event.subject) == (mona, LATER, f"project {full.pk}")
    assert (event.after["name"], event.after["reason"]) == ("Project 1", "The contract ended.")
    assert event.after["gone"]["datasets_example"] == examples == 20
    assert event.after["gone"]["files"] >= len(FOLDERS)
    assert "deleted the project “Project 1” (20 examples, " in event.sentence
    assert event.sentence.endswith("The contract ended.") and chain_intact(SITE)


def test_every_row_that_was_counted_at_the_beginning_went(full, mona):
    _delete(full, mona)
    _work(full.pk)
    done = ProjectDeletion.objects.get()
    owned = {table.name for table in owned_tables()}
    assert sum(n for table, n in done.counts.items() if table in owned) == done.rows > 80
    assert done.percent == 100 and done.finished_at == LATER and done.mirrored == 1


def test_a_killed_worker_s_deletion_goes_on_where_it_stopped(full, mona, sent, monkeypatch):
    _delete(full, mona)
    monkeypatch.setattr(deleting, "AT_ONCE", 7)
    told, calls = deleting._Removal._told, []

    class Killed(BaseException):
        """As by the system: nothing is written on the way out."""

    def dying(self, what, gone):
        told(self, what, gone)
        calls.append(what)
        if len(calls) == 12:
            raise Killed

    monkeypatch.setattr(deleting._Removal, "_told", dying)
    with pytest.raises(Killed):
        _work(full.pk)
    half = ProjectDeletion.objects.get()
    assert half.state == DeletionState.DELETING and 0 < half.percent < 99
    owned = sum(n for table, n in half.counts.items() if table != "features_encoder")
    assert owned == half.rows - sum(_sizes_of(full).values()), "what the dying transaction took came back"
    monkeypatch.setattr(deleting._Removal, "_told", told)
    _work(full.pk)  # still leased by the dead one
    assert ProjectDeletion.objects.get().state == DeletionState.DELETING
    sent.jobs.clear()
    assert deletions_sweep(at=LATER) == []
    after = LATER + timedelta(minutes=3)
    assert deletions_sweep(at=after) == [full.pk]
    assert sent.jobs == [(str(Job.PROJECT_DELETE), (full.pk,))]
    deletion_work(number=full.pk, now=lambda: after)
    done = ProjectDeletion.objects.get()
    assert done.state == DeletionState.COMPLETED and _naming(full.pk) == []
    assert sum(n for table, n in done.counts.items() if table in {t.name for t in owned_tables()}) == done.rows


def test_it_waits_for_whoever_works_on_it(full, mona):
    run = Run.objects.filter(project=full).first()
    Run.objects.filter(pk=run.pk).update(
        state=RunState.RUNNING, leased_until=LATER + timedelta(seconds=9), cancel_requested_at=None
    )
    deletion = _delete(full, mona)
    run.refresh_from_db()
    assert run.cancel_requested_at == NOON
    _work(full.pk)
    deletion.refresh_from_db()
    assert deletion.waits_for == "run" and deletion.waits_in_words == "It waits until a run has stopped."
    assert full.examples.count() == 20
    deletion_work(number=full.pk, now=lambda: LATER + timedelta(seconds=30))
    deletion.refresh_from_db()
    assert deletion.state == DeletionState.COMPLETED


def test_what_comes_while_it_is_deleted_goes_too(full, mona, monkeypatch):
    _delete(full, mona)
    files, first = deleting._Removal._files, []

    def late(self):
        files(self)
        if not first:
            first.append(True)
            fields = {"model_number": 1, "inference_id": "a", "label": "ham", "confidence": 0.9, "latency_ms": 1.0}
            Prediction.objects.create(project=full, at=LATER, **fields)

    monkeypatch.setattr(deleting._Removal, "_files", late)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    _work(full.pk)
    held = ProjectDeletion.objects.get()
    assert (held.state, held.waits_for) == (DeletionState.DELETING, "late")
    after = LATER + timedelta(seconds=30)
    deletion_work(number=full.pk, now=lambda: after)
    assert ProjectDeletion.objects.get().state == DeletionState.COMPLETED and _naming(full.pk) == []


def test_nobody_opens_it_any_more_and_its_model_answers_no_more(full, mona, alma, mallory, as_):
    assert [s.project_id for s in served()] == [full.pk]
    _delete(full, mona)
    assert served() == []
    mona.is_superuser = True
    mona.save()
    for who in (mona, alma, mallory):
        assert as_(who).get(reverse("loop:overview", args=[full.pk])).status_code == 404
        assert api_of(who).get(at(full)).status_code == 404
        assert "Project 1" not in as_(mallory).get(reverse("portfolio:projects")).content.decode()
    assert api_of(mallory).get(f"/api/v1/deletions/{full.pk}/").status_code == 404


def test_only_from_the_archive_by_its_name_and_with_a_reason(project, mona, lin, mallory, as_, sent):
    with pytest.raises(NotArchived):
        _delete(project, mona)
    project_archive(project=project, by=mona, at=NOON)
    for name, reason in (("Project", "x"), ("project 1", "x"), ("Project 1", " \x00 "), ("Project 1", "x" * 301)):
        with pytest.raises(Invalid):
            project_delete(project=project, name=name, reason=reason, by=mona, at=NOON)
    address, given = reverse("closing:delete", args=[project.pk]), {"name": "Project 1", "reason": "Over."}
    assert as_(lin).post(address, given).status_code == 403 and as_(mallory).post(address, given).status_code == 404
    wrong = as_(mona).post(address, {"name": "Other", "reason": "Over."})
    assert wrong.status_code == 422 and "Type the name of the project, “Project 1”" in wrong.content.decode()
    assert not ProjectDeletion.objects.exists() and Project.objects.get().deleting_since is None
    assert as_(mona).post(address, given).status_code == 302 and ProjectDeletion.objects.get().by == mona


def test_the_page_of_projects_shows_how_far_it_is(full, mona, lin, as_, monkeypatch):
    _delete(full, mona)
    page = as_(mona).get(reverse("portfolio:projects")).content.decode()
    assert "being deleted: 0 of 0 rows are gone" in page and 'hx-trigger="every 2s"' in page
    assert "1 run stays on the tracking server" in page
    assert "Project 1" not in as_(lin).get(reverse("portfolio:projects")).content.decode()
    monkeypatch.setattr("django.utils.timezone.now", lambda: LATER)
    _work(full.pk)
    part = as_(mona).get(reverse("closing:deletions")).content.decode()
    assert "deleted: " in part and "every 2s" not in part


def test_the_api_deletes_and_tells_how_far_it_is(full, mona):
    caller = api_of(mona)
    refused = caller.delete(at(full), {"name": "Project 2", "reason": "Over."}, format="json")
    assert refused.status_code == 422
    made = caller.delete(f"{at(full)}?name=Project%201&reason=Over.")
    assert (made.status_code, made.json()["state"], made.json()["percent"]) == (202, "deleting", 0)
    _work(full.pk)
    told = caller.get(f"/api/v1/deletions/{full.pk}/").json()
    assert (told["state"], told["percent"], told["gone"]["datasets_example"]) == ("completed", 100, 20)
    assert [each["project"] for each in caller.get("/api/v1/deletions/").json()["results"]] == [full.pk]


def test_its_name_is_free_again_and_its_address_never(full, mona, make_project):
    """Whoever still asks the predictor by the old address is refused, and meets no other project's model."""
    slug = full.slug
    _delete(full, mona)
    _work(full.pk)
    again = make_project(name="Project 1")
    assert again.name == "Project 1" and again.slug == f"{slug}-2"


def test_an_invitation_into_it_becomes_one_into_none(full, mona, alma):
    alma.is_superuser = True
    alma.save()
    more = {"display_name": "", "may_create_projects": False}
    invitation_make(username="newcomer", project=full, role="annotator", by=alma, at=NOON, **more)
    _delete(full, mona)
    _work(full.pk)
    assert OneTimeLink.objects.filter(project=None).exists()


def test_no_circle():
    """Whatever points at a table is emptied before it, keys of a table to itself apart."""
    place = {table.model: n for n, table in enumerate(owned_tables())}
    for model, n in place.items():
        for field in model._meta.concrete_fields:
            if field.is_relation and field.related_model in place and field.related_model is not model:
                assert n < place[field.related_model], f"{model.__name__}.{field.name}"
    assert [(model.__name__, key) for model, key, _ in loosened()] == [("OneTimeLink", "project")]


def test_every_folder_of_the_storage_that_is_cut_by_project_is_known():
    written = set()
    for folder in ("apps", "workers"):
        for file in Path(folder).rglob("*.py"):
            written |= set(re.findall(r'f"(\w+)/\{\w*\.?(?:project_id|project\.pk)\}', file.read_text()))
    assert written == set(FOLDERS)
