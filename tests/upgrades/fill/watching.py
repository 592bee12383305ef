"""What stands around the loop of the texts: vectors and orders, drift and alerts, and what starts by itself."""

from datetime import time, timedelta

from fill.people import LATER, NOON

from apps.accounts.models import User
from apps.datasets.models import DatasetVersion, EmbeddingShard, Example, VersionPolicy
from apps.labeling.models import Assignment
from apps.labeling.services.frontier import Origin, Scored
from apps.labeling.services.scoring import PartPlan, scoring_finish, scoring_open, scoring_part_done
from apps.monitoring.models import DriftCheck
from apps.monitoring.services import Served, alert_raise, alert_resolve, predictions_record
from apps.projects.models import Project
from apps.projects.services import label_retire
from apps.rules.encoders import tuned_name
from apps.training.models import RunKind
from apps.training.services.policies import policy_set
from apps.training.services.schedules import Times, schedule_set, schedules_ensure
from apps.training.services.triggers import trigger_set
from tests.rows import HOUR


def orders(project: Project) -> None:
    """Vectors of two encoders, one of them fine-tuned; an order that is done, one under way, one overtaken, one failed."""
    tuned = tuned_name(project.runs.get(kind=RunKind.FINE_TUNE).pk)
    for encoder, dim in (("hashed-words-256", 256), (tuned, 384)):
        EmbeddingShard.objects.create(
            project=project,
            encoder=encoder,
            number=1,
            rows=120,
            dim=dim,
            unusable=1,
            size_bytes=120 * dim * 2,
            url=f"file:///var/lib/fastloop/storage/shards/{project.pk}/{encoder}/1.arrow",
            sha256="c" * 64,
            created_at=LATER,
        )
    held = set(Assignment.objects.filter(project=project, state="leased").values_list("example_id", flat=True))
    picks = Example.objects.filter(
        project=project, label=None, holdout=False, external_id__endswith="again", auto_label=None
    )
    picked = [Scored(e.pk, {"strategy": "margin", "margin": 0.01}) for e in picks.order_by("pk") if e.pk not in held][
        :8
    ]
    for number, finished in ((1, True), (3, True), (3, False)):
        scoring = scoring_open(
            project=project,
            run_number=number,
            strategy="margin",
            encoder=tuned if number == 3 else "hashed-words-256",
            seed=number,
            newest_example=finished,
            sentence="The two best labels are close.",
            parts=[PartPlan((1,)), PartPlan((), 1, 99)],
            at=LATER,
        )
        assert scoring is not None
        parts = list(scoring.parts.all())
        for part in parts if finished else parts[:1]:
            scoring_part_done(
                part=part,
                url=f"file:///var/lib/fastloop/storage/picks/{part.pk}.arrow",
                scored=60,
                unusable=1,
                seconds=0.5,
                at=LATER,
            )
        if finished:
            origin = Origin(
                "margin", 60, number, scoring.encoder, 3, 1, "The two best labels are close.", {"scan": 0.4}, LATER
            )
            scoring_finish(scoring=scoring, picks=picked, origin=origin, at=LATER)
    for state in ("superseded", "failed"):
        project.scoring_passes.create(
            state=state, strategy="random", requested_at=NOON, finished_at=NOON, sentence="Away."
        )


def watch(project: Project, who: dict[str, User]) -> None:
    """What the champion answered, a look at it, an alert that is open and one that was closed."""
    predictions_record(
        rows=[
            Served(
                project.pk, f"request-{n}", LATER + timedelta(seconds=n), 1, ("ham", "spam")[n % 2], 0.5 + n / 100, 2.5
            )
            for n in range(30)
        ]
    )
    check = DriftCheck.objects.create(
        project=project,
        at=LATER,
        model_number=1,
        window=30,
        outcome="drift",
        sentence="The labels moved.",
        statistics=[
            {"feature": "label", "title": "Labels", "statistic": 0.4, "threshold": 0.2, "drifted": True, "reason": "!"}
        ],
    )
    for kind in ("drift", "gone"):
        for at in (LATER, LATER + HOUR):
            alert = alert_raise(
                project=project,
                kind=kind,
                title=kind.title(),
                detail="The labels moved.",
                at=at,
                check=check if kind == "drift" else None,
            )
    alert_resolve(
        project=project, alert_id=alert.pk, note="A test of the mail server.", by=who["lin"], at=LATER + 2 * HOUR
    )


def habits(project: Project, who: dict[str, User]) -> None:
    """When the project trains by itself, and how long its versions stay."""
    lin = who["lin"]
    trigger_set(
        project=project,
        enabled=True,
        new_labels=50,
        minutes=90,
        disagreement_points=7,
        debounce_s=30,
        kind="full",
        by=lin,
        at=NOON,
    )
    policy_set(
        project=project,
        runs_at_once=3,
        full_after_increments=None,
        full_on_gap=False,
        full_on_schema_change=False,
        by=lin,
        at=NOON,
    )
    schedules_ensure(project=project, at=NOON)
    schedule_set(
        project=project,
        kind="fine-tune",
        times=Times((0, 6), time(4, 30), "Europe/Berlin", enabled=False),
        by=lin,
        at=NOON,
    )
    VersionPolicy.objects.create(project=project, keep_days=30, vacuum_hours=24, kept_at=LATER, files=7, bytes=123_456)
    DatasetVersion.objects.create(
        project=project,
        number=6,
        rows=9,
        holdout_rows=1,
        digest="0" * 64,
        url="file:///var/lib/fastloop/storage/versions/4",
        created_at=NOON,
        dropped_at=LATER,
    )
    label_retire(project=project, name="bill", by=who["mona"], at=LATER + 9 * HOUR)
