"""A project in the archive: read only, nothing starts by itself, and out of it everything goes on."""

import uuid
from datetime import timedelta

import pytest
from django.urls import reverse

from apps.audit.models import Event
from apps.integrations import wiring
from apps.labeling.models import AutoLabeling, FrontierItem
from apps.labeling.services.annotations import Answer, annotation_submit
from apps.labeling.services.assignments import QueueRequest, assignments_next
from apps.labeling.services.frontier import frontier_refill
from apps.loop import services
from apps.loop.closing.services import project_archive, project_unarchive
from apps.loop.services.runs import schedules_check, triggers_check
from apps.monitoring.models import Prediction
from apps.projects.access import SAFE, ProjectArchived
from apps.projects.models import Project
from apps.quality.merging import consensus_check
from apps.releases.selectors import served
from apps.releases.services import model_promote
from apps.training.models import OnlineLearner, Run, RunState
from apps.training.services.online import online_check
from apps.training.services.online_updates import OnlineLost, online_claim
from apps.training.services.runs import run_start, runs_sweep
from apps.training.services.sweeps import sweeps_check
from tests import rows
from tests.api import api_of, at
from tests.architecture.test_roles import ROUTES, TABLE, ask
from tests.architecture.test_roles import world as world
from tests.conftest import NOON
from tests.datasets.test_intake import ingest

LATER = NOON + timedelta(days=9)
REFUSED = "is in the archive: it can be read, and nothing in it be changed."
# Writing methods that an archived project takes: out of it, away for good, its champion asked, its work stopped.
TAKEN = {
    "closing:unarchive",
    "closing:delete",
    "api-project",
    "releases:try",
    "api-predict",
    "releases:rollout_abort",
    "api-rollout-abort",
    "api-rollout-replay",
    "training:cancel",
    "training:sweep_cancel",
    "api-run-cancel",
    "api-sweep-cancel",
}
DESK = {"labeling:desk", "bulk:bulk"}  # reading methods that hand work out


@pytest.fixture
def sent(monkeypatch):
    jobs = rows.Sent([])
    monkeypatch.setattr(wiring, "jobs", jobs)
    return jobs


@pytest.fixture
def archived(project, mona):
    return project_archive(project=project, by=mona, at=NOON)


def test_every_address_reads_and_none_writes(world, mona):
    project_archive(project=world.project, by=mona, at=NOON)
    world.session_of("admin")
    wrong = []
    for route in ROUTES:
        if not {"project_id", "run_id", "sweep_id", "version_id", "rollout_id"} & set(route.arguments):
            continue
        for method in TABLE[route.name]:
            reply = ask(world, route, method, "admin")
            refused = reply.status_code == 409 and REFUSED in reply.content.decode()
            handed = method == "GET" and route.name in DESK
            if refused != (handed or (method not in SAFE and route.name not in TAKEN)):
                wrong.append(f"{route.name} {method}: {reply.status_code}")
    assert wrong == [], "\n".join(wrong)


def _answered(project, ada):
    ingest(project, [{"id": f"open{n}", "text": f"letter {n}"} for n in range(3)])
    frontier_refill(project=project, at=NOON, seed=1)
    (held,) = assignments_next(QueueRequest(project=project, by=ada, count=1, at=NOON, seed=1))
    annotation_submit(
        project_id=project.pk, answer=Answer(uuid.uuid4(), held.pk, held.token, label="ham"), by=ada, at=NOON
    )


def test_nothing_starts_by_itself(project, mona, lin, ada, sent):
    rows.labeled(project, 200)
    _answered(project, ada)
    version = rows.model(project)
    model_promote(version=version, reason="", by=lin, at=NOON)
    AutoLabeling.objects.create(project=project, enabled=True)
    OnlineLearner.objects.create(project=project, enabled=True, asked_at=NOON)
    rows.swept(project)
    Prediction.objects.create(
        project=project, model_number=1, inference_id="a", label="ham", confidence=0.9, latency_ms=1.0, at=LATER
    )
    Run.objects.filter(state=RunState.QUEUED).delete()
    project_archive(project=project, by=mona, at=NOON)
    before = Run.objects.count()
    assert triggers_check(at=LATER) == [] and schedules_check(at=LATER) == []
    assert services.auto_labels_check(at=LATER) == [] and services.measures_check(at=LATER) == []
    assert online_check(at=LATER) == [] and consensus_check(at=LATER) == [] and sweeps_check(at=LATER) == []
    FrontierItem.objects.all().delete()
    services.everything_refilled(at=LATER)
    services.drift_check_all(at=LATER)
    assert (Run.objects.count(), FrontierItem.objects.count()) == (before, 0)
    assert not project.drift_checks.exists()
    with pytest.raises(OnlineLost, match="in the archive"):
        online_claim(project_id=project.pk, at=LATER)
    with pytest.raises(ProjectArchived):
        run_start(project=project, kind="full", trigger="x", base_run=None, by=None, at=LATER)
    project_unarchive(project=project, by=mona, at=LATER)
    assert [run.project_id for run in triggers_check(at=LATER)] == [project.pk]
    assert online_check(at=LATER) == [project.pk] and consensus_check(at=LATER) == [project.pk]
    assert services.auto_labels_check(at=LATER) == [project.pk]
    assert sweeps_check(at=LATER) != []
    services.drift_check_all(at=LATER)
    assert project.drift_checks.count() == 1
    FrontierItem.objects.all().delete()
    services.everything_refilled(at=LATER)
    assert FrontierItem.objects.filter(project=project).exists()


def test_a_queued_run_waits_until_the_project_is_in_use_again(project, mona, sent):
    rows.labeled(project)
    run = rows.started(project)
    project_archive(project=project, by=mona, at=NOON)
    assert runs_sweep(at=LATER) == []
    project_unarchive(project=project, by=mona, at=LATER)
    assert runs_sweep(at=LATER) == [run.pk]


def test_its_champion_goes_on_answering(project, mona, lin, sent):
    rows.labeled(project)
    model_promote(version=rows.model(project), reason="", by=lin, at=NOON)
    project_archive(project=project, by=mona, at=NOON)
    assert [s.project_id for s in served()] == [project.pk]


def test_it_leaves_list_and_rail_and_stands_under_archived(make_project, mona, as_):
    other, gone = make_project(name="Other"), make_project(name="Gone by")
    project_archive(project=gone, by=mona, at=NOON)
    browser = as_(mona)
    listed = browser.get(reverse("portfolio:projects")).content.decode()
    assert "Other" in listed and "Gone by" not in listed and "Archived" in listed
    assert "Gone by" not in browser.get(reverse("loop:overview", args=[other.pk])).content.decode()
    kept = browser.get(f"{reverse('portfolio:projects')}?show=archived").content.decode()
    assert "Gone by" in kept and "archived 2 Nov 2026" in kept and ">Other<" not in kept
    page = browser.get(reverse("loop:overview", args=[gone.pk]))
    assert page.status_code == 200 and "In the archive since 2 Nov 2026." in page.content.decode()


def test_only_who_manages_archives_and_the_trail_says_so(project, mona, lin, as_):
    for who, status in ((lin, 403), (mona, 302)):
        assert as_(who).post(reverse("closing:archive_now", args=[project.pk])).status_code == status
    project.refresh_from_db()
    assert project.archived_at is not None
    event = Event.objects.get(verb="project.archived")
    assert (event.actor, event.subject) == (mona, f"project {project.pk}")
    assert as_(mona).post(reverse("closing:unarchive", args=[project.pk])).status_code == 302
    project.refresh_from_db()
    assert project.archived_at is None and Event.objects.filter(verb="project.unarchived").count() == 1


def test_twice_is_once(project, mona):
    project_archive(project=project, by=mona, at=NOON)
    project_archive(project=project, by=mona, at=LATER)
    assert Project.objects.get().archived_at == NOON
    assert Event.objects.filter(verb="project.archived").count() == 1


def test_the_api_archives_lists_and_takes_out(project, mona):
    caller = api_of(mona)
    told = caller.patch(at(project), {"archived": True}, format="json")
    assert told.status_code == 200 and told.json()["archived_at"]
    assert caller.get("/api/v1/projects/").json()["results"] == []
    assert [p["id"] for p in caller.get("/api/v1/projects/?archived=true").json()["results"]] == [project.pk]
    assert caller.patch(at(project), {"name": "Another"}, format="json").json()["code"] == "archived"
    told = caller.patch(at(project), {"archived": False, "name": "Another"}, format="json").json()
    assert (told["archived_at"], told["name"]) == (None, "Another")


def test_pages_of_an_archived_project_offer_no_act_that_is_refused(archived, mona, as_):
    page = as_(mona).get(reverse("loop:overview", args=[archived.pk])).content.decode()
    assert f'href="{reverse("labeling:desk", args=[archived.pk])}"' not in page
    settings = as_(mona).get(reverse("projects:settings", args=[archived.pk])).content.decode()
    assert "Add labels" not in settings and reverse("closing:archive", args=[archived.pk]) in settings


def test_a_worker_that_is_told_to_order_an_archived_queue_goes_home(archived, sent):
    from apps.labeling.models import ScoringPass
    from workers.tasks.score import score

    score(archived.pk)
    assert not ScoringPass.objects.exists()
