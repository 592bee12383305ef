"""The other projects: digits, rows of a table that are learned online, spans, and one that has nothing."""

from apps.labeling.quality.services import gold_add
from fill.labeling import ask, say
from fill.people import LATER, NOON, project_of

from apps.accounts.models import User
from apps.datasets.models import DatasetVersion, Example
from apps.labeling.models import FrontierItem, Label, Lane
from apps.loop import services as loop
from apps.monitoring.models import Prediction
from apps.projects.models import Project
from apps.projects.roles import Role
from apps.projects.services import member_set
from apps.releases.services import candidate_register
from apps.training.services import online_updates
from apps.training.services.online import online_publish_ask, online_set
from tests.rows import HOUR, judged


def digits(who: dict[str, User]) -> Project:
    """What `simulate` played, with every queue setting at its default; most of its pool and of its log is left out."""
    project = Project.objects.get()
    Project.objects.update(name="Handwritten digits", slug="handwritten-digits")
    project.refresh_from_db()
    for username, role in (("ada", Role.ANNOTATOR), ("mona", Role.MANAGER)):
        member_set(
            project=project, username=username, role=role, by=User.objects.get(username="scripted-engineer"), at=NOON
        )
    waiting = FrontierItem.objects.order_by("lane", "rank").values_list("example_id", flat=True)
    kept = [*Label.objects.values_list("pk", flat=True), *waiting[:40]]
    Example.objects.exclude(pk__in=kept).delete()
    Prediction.objects.exclude(pk__in=list(Prediction.objects.values_list("pk", flat=True)[:20])).delete()
    return project


def invoices(who: dict[str, User]) -> Project:
    """Rows of a table, in a project with its defaults, where a learner never stops: published once, then taken again."""
    project, lin = project_of(who, "Invoices", "tabular-classification", ("paid", "open")), who["lin"]
    rows = [
        {"id": f"i{n}", "amount": n * 10.5, "country": ("DE", "ES")[n % 2], "label": ("paid", "open")[n % 2]}
        for n in range(30)
    ]
    loop.batch_take(project=project, rows=rows, source="api", by=lin, at=NOON)
    online_set(project=project, enabled=True, publish_every=10, by=lin, at=NOON)
    learner = online_updates.online_claim(project_id=project.pk, at=NOON)
    online_updates.online_restart(
        project_id=project.pk,
        owner=learner.owner,
        label_names=["open", "paid"],
        encoder="hashed-row-64",
        reason="",
        at=NOON,
    )
    for n in (1, 2):
        update = online_updates.Update(
            f"file:///var/lib/fastloop/storage/online/{n}.vw", 10, 5.0, 8, 0.4, NOON, 100 + n
        )
        online_updates.online_learned(project_id=project.pk, owner=learner.owner, update=update, at=NOON + n * HOUR)
    online_publish_ask(project=project, by=lin, at=NOON + 2 * HOUR)
    version = DatasetVersion.objects.create(
        project=project,
        number=1,
        rows=30,
        holdout_rows=2,
        url="file:///var/lib/fastloop/storage/versions/old.parquet",
        digest="1" * 64,
        created_at=NOON,
    )
    published = online_updates.Published(
        "file:///var/lib/fastloop/storage/models/online.vw",
        "9" * 64,
        version,
        {"encoder": "hashed-row-64"},
        {"vowpalwabbit": "9.11.9"},
        "CPU, 1 thread",
    )
    run = online_updates.online_published(
        project_id=project.pk, owner=learner.owner, published=published, at=NOON + 2 * HOUR
    )
    candidate_register(run=run, report=judged(run), at=NOON + 3 * HOUR)
    online_updates.online_release(
        project_id=project.pk, owner=learner.owner, error="One label was left out.", at=NOON + 3 * HOUR
    )
    online_updates.online_claim(project_id=project.pk, at=LATER)  # a worker holds it
    return project


def names(who: dict[str, User]) -> Project:
    """Spans: answers of many parts, in `value`."""
    project = project_of(who, "Names in mail", "text-spans", ("person", "place"), holdout_share=0.01)
    span = {"start": 0, "end": 3, "label": "person"}
    rows = [
        {
            "id": f"n{n}",
            "text": f"Ada wrote from London, day {n}",
            "prediction.value": {"spans": [span]},
            "prediction.model": "old",
        }
        for n in range(6)
    ]
    loop.batch_take(project=project, rows=rows, source="api", by=who["lin"], at=NOON)
    examples = list(project.examples.order_by("pk"))
    say(
        ask(project, examples[0], who["ada"], lane=Lane.ACTIVE, slot=0),
        value={"spans": [span, {"start": 15, "end": 21, "label": "place"}]},
    )
    say(ask(project, examples[1], who["ada"], lane=Lane.RANDOM, slot=0), value={"spans": []})
    open_one = next(e for e in examples[2:] if not e.holdout)
    FrontierItem.objects.filter(example=open_one).delete()
    gold_add(project=project, example_id=open_one.pk, value={"spans": [span]}, by=who["mona"], at=NOON)
    return project


def without_anybody() -> None:
    """A project whose maker is gone and that has nothing; its encoder was typed in by an admin and is known nowhere."""
    Project.objects.create(
        name="Empty", slug="empty", task_type="image-boxes", holdout_salt="salt", created_at=NOON, encoder="of-an-admin"
    )
