"""What the console of today reads of the previous release's rows, and what was written there."""

from decimal import Decimal
from typing import Any

from apps.accounts.models import User
from apps.datasets.models import Example, Ingestion
from apps.evaluation.models import FreshnessGap, LearningReport, Report
from apps.features.models import EmbeddingShard
from apps.labeling.encoders import encoder_of
from apps.labeling.models import (
    Annotation,
    Assignment,
    AutoBatch,
    Frontier,
    GoldItem,
    ImportedPrediction,
    Label,
    Review,
    ScoringPass,
    Suspect,
)
from apps.labeling.services.queue_settings import queue_choices_of
from apps.monitoring.models import Alert, Prediction
from apps.projects.models import Membership, Project
from apps.releases.models import Alias, Mirrored, Promotion
from apps.slas.models import Lap
from apps.training.models import OnlineLearner, Run, Schedule, Sweep, Trial

FACTS: dict[str, Any] = {
    "people": [
        "scripted-engineer",
        "scripted-annotator-1",
        "scripted-annotator-2",
        "ada",
        "grace",
        "rosa",
        "mona",
        "lin",
        "alma",
        "mallory",
    ],
    "may not sign in": ["mallory"],
    "roles in mail": {
        "ada": "annotator",
        "alma": "admin",
        "grace": "annotator",
        "lin": "engineer",
        "mona": "manager",
        "rosa": "reviewer",
    },
    "made by nobody": None,
    "queue of mail": {
        "strategy": "margin",
        "overlap": 2,
        "lane_weights": {
            "active": 50,
            "random": 15,
            "holdout": 25,
            "audit": 7,
            "gold": 12,
            "relabel": 6,
            "review": 11,
            "drift": 0,
        },
        "lane_overlap": {"audit": 1, "holdout": 3},
        "consensus": "dawid-skene",
        "review_at_most": 0.6,
        "blind_share": 0.25,
        "planted_share": 0.2,
        "gold_failures": 1,
        "gold_feedback": False,
    },
    "queue of digits": (
        "margin-clusters",
        {"active": 65, "random": 10, "holdout": 20, "audit": 5, "gold": 10, "relabel": 5, "review": 10, "drift": 10},
    ),
    "queue of nobody": True,
    "holdout": {"handwritten-digits": 0.05, "support-mail": 0.2, "names-in-mail": 0.01},
    "rate": (Decimal("31.50"), "USD", None, "EUR"),
    "encoders": ["thumbnail-16", "hashed-words-256", "hashed-row-64", "all-minilm-l6-v2", "thumbnail-16"],
    "encoders of shards": ["all-minilm-l6-v2+run-15", "hashed-words-256", "thumbnail-16"],
    "encoders of orders": [
        "thumbnail-16",
        "thumbnail-16",
        "thumbnail-16",
        "hashed-words-256",
        "all-minilm-l6-v2+run-15",
        "all-minilm-l6-v2+run-15",
        "",
        "",
    ],
    "encoder of the queue": "all-minilm-l6-v2+run-15",
    "encoder learned online": "hashed-row-64",
    "encoder fine-tuned": (True, "fine-tune", "completed"),
    "image": True,
    "ingestions": [
        ("api", "completed"),
        ("simulate", "completed"),
        ("upload", "failed"),
        ("upload", "queued"),
        ("upload", "running"),
    ],
    "refused": [
        ("bad1", "The column “text” is missing."),
        ("bad2", "The text is empty."),
        ("bad3", "The label “eggs” is not in the project’s labels."),
    ],
    "labels of mail": {"consensus": 4, "duplicate": 6, "gold": 1, "imported": 140, "review": 1},
    "spans": [
        (
            {"spans": [{"end": 3, "label": "person", "start": 0}, {"end": 21, "label": "place", "start": 15}]},
            "consensus",
        ),
        ({"spans": []}, "consensus"),
        ({"spans": [{"end": 3, "label": "person", "start": 0}]}, "gold"),
    ],
    "served": 21,
    "leases": [("ada", "active"), ("grace", "holdout")],
    "answers": [1, 1, 1, 1],
    "in bulk": 3,
    "comment": "A comment, with “quotes”\tand a tab",
    "gold": [("mona", "ham", "It is a plea."), ("mona", None, "")],
    "reviews": [
        ("closed", "flag", "", None),
        ("decided", "disagreement", "guideline-gap", "rosa"),
        ("open", "disagreement", "", None),
        ("open", "disagreement", "", None),
    ],
    "suspects": [
        ("corrected", "spam", "bill"),
        ("moot", "ham", "bill"),
        ("open", "ham", "bill"),
        ("stands", "ham", "bill"),
    ],
    "pauses": [("ada", None), ("grace", "mona")],
    "guesses": {"old": 6, "old-rules": 40},
    "own labels": [("active", 6, 3), ("withdrawn", 6, 3)],
    "runs": [
        (1, "full", "completed", "manual"),
        (2, "incremental", "completed", "manual"),
        (3, "fine-tune", "completed", "manual"),
        (4, "full", "completed", "manual"),
        (5, "full", "completed", "reproduced"),
        (6, "sweep", "completed", "sweep"),
        (7, "full", "failed", "manual"),
        (8, "full", "canceled", "manual"),
        (9, "incremental", "running", "manual"),
        (10, "full", "queued", "manual"),
    ],
    "line": (True, True, None),
    "run under a lease": (True, 2, "worker-1, GPU 0", 40),
    "run failed": ("The loss is not finite.", "ValueError: nan"),
    "run online": [("Invoices", 20, "file:///var/lib/fastloop/storage/models/online.vw")],
    "points": 3,
    "online": (True, 10, 20, True, ["open", "paid"]),
    "sweep": ["completed", True],
    "trials": ["completed", "completed", "pruned", "failed", "running", "canceled", "canceled", "canceled"],
    "schedules": [("incremental", True, "2"), ("full", True, "3"), ("fine-tune", False, "4")],
    "trigger": (50, 90, 7, "full"),
    "verdicts": [
        ("inconclusive", 9),
        ("inconclusive", 16),
        ("pass", 100),
        ("inconclusive", 100),
        ("pass", 100),
        ("fail", 100),
        ("pass", 100),
    ],
    "learning": ["Handwritten digits", "Handwritten digits", "Support mail"],
    "gap": (True, True, -0.4, 3.1),
    "aliases": [
        ("Handwritten digits", "candidate", 2),
        ("Handwritten digits", "champion", 2),
        ("Invoices", "candidate", 1),
        ("Support mail", "candidate", 3),
        ("Support mail", "champion", 1),
    ],
    "promotions of mail": [("promote", 1, None, "lin"), ("promote", 2, 1, "lin"), ("roll-back", 1, 2, "lin")],
    "mirrored": [(1, "completed", 99, ["champion"], 1), (3, "", 0, [], 3)],
    "laps": [
        ("Handwritten digits", 1, False, ""),
        ("Handwritten digits", 2, False, ""),
        ("Support mail", 1, False, ""),
        ("Support mail", 2, True, "collect"),
    ],
    "target": 1.5,
    "answered by the champion": 15,
    "alerts": [("drift", "", 2, None), ("gone", "A test of the mail server.", 2, "lin")],
}


def facts() -> dict[str, Any]:
    """What the console of today says of the old rows, read through its own models and services."""
    digits, mail, invoices, names, empty = (
        Project.objects.get(name=name)
        for name in ("Handwritten digits", "Support mail", "Invoices", "Names in mail", "Empty")
    )
    runs = {run.number: run for run in mail.runs.all()}
    settings = queue_choices_of(mail)
    online, gap, tuned = OnlineLearner.objects.get(), FreshnessGap.objects.get(), runs[3]
    return {
        "people": list(User.objects.order_by("pk").values_list("username", flat=True)),
        "may not sign in": [x.username for x in User.objects.filter(is_active=False)],
        "roles in mail": dict(Membership.objects.filter(project=mail).values_list("user__username", "role")),
        "made by nobody": empty.created_by,
        "queue of mail": {
            "strategy": settings.strategy,
            "overlap": settings.overlap,
            "lane_weights": dict(settings.lane_weights),
            "lane_overlap": dict(settings.lane_overlap),
            "consensus": settings.consensus,
            "review_at_most": settings.review_at_most,
            "blind_share": settings.blind_share,
            "planted_share": settings.planted_share,
            "gold_failures": settings.gold_failures,
            "gold_feedback": settings.gold_feedback,
        },
        "queue of digits": (queue_choices_of(digits).strategy, dict(queue_choices_of(digits).lane_weights)),
        "queue of nobody": queue_choices_of(empty) == queue_choices_of(digits),
        "holdout": {p.slug: p.holdout_share for p in (digits, mail, names)},
        "rate": (mail.queue.hourly_rate, mail.queue.currency, digits.queue.hourly_rate, digits.queue.currency),
        "encoders": [encoder_of(project) for project in (digits, mail, invoices, names, empty)],
        "encoders of shards": sorted(set(EmbeddingShard.objects.values_list("encoder", flat=True))),
        "encoders of orders": list(ScoringPass.objects.order_by("pk").values_list("encoder", flat=True)),
        "encoder of the queue": Frontier.objects.get(project=mail).encoder,
        "encoder learned online": online.encoder,
        "encoder fine-tuned": (tuned.recipe["encoder"] == f"all-minilm-l6-v2+run-{tuned.pk}", tuned.kind, tuned.state),
        "image": len(Example.objects.filter(project=digits).earliest("pk").blob.content) > 50,
        "ingestions": sorted(set(Ingestion.objects.values_list("source", "state"))),
        "refused": list(mail.dead_letters.order_by("row_number").values_list("external_id", "reason")),
        "labels of mail": _counted(Label.objects.filter(project=mail).values_list("source", flat=True)),
        "spans": list(Label.objects.filter(project=names).order_by("pk").values_list("value", "source")),
        "served": Label.objects.filter(project=digits, served_at__isnull=False, first_run_number=1).count(),
        "leases": list(
            Assignment.objects.filter(project=mail, state="leased")
            .order_by("pk")
            .values_list("holder__username", "lane")
        ),
        "answers": [
            Annotation.objects.filter(project=mail, **which).count()
            for which in ({"withdrawn_at__isnull": False}, {"surplus": True}, {"flagged": True}, {"right": False})
        ],
        "in bulk": Assignment.objects.filter(project=mail, lane="bulk", reason__has_key="batch").count(),
        "comment": Annotation.objects.exclude(comment="").order_by("pk").values_list("comment", flat=True)[0],
        "gold": list(GoldItem.objects.order_by("pk").values_list("by__username", "label__name", "explanation")),
        "reviews": sorted(Review.objects.values_list("state", "why", "error_kind", "decided_by__username")),
        "suspects": sorted(Suspect.objects.values_list("state", "given__name", "expected__name")),
        "pauses": list(mail.pauses.order_by("pk").values_list("person__username", "lifted_by__username")),
        "guesses": _counted(ImportedPrediction.objects.values_list("model_version", flat=True)),
        "own labels": list(AutoBatch.objects.order_by("number").values_list("state", "labels", "audits")),
        "runs": [(x.number, x.kind, x.state, x.trigger_type) for x in mail.runs.order_by("number")],
        "line": (runs[2].base_run == runs[1], runs[5].reproduces == runs[1], runs[1].base_run),
        "run under a lease": (runs[9].owner is not None, runs[9].attempts, runs[9].device, runs[9].step),
        "run failed": (runs[7].error, runs[7].traceback.splitlines()[-1]),
        "run online": list(Run.objects.filter(kind="online").values_list("project__name", "labels", "artifact_url")),
        "points": runs[1].points.count(),
        "online": (online.enabled, online.publish_every, online.examples, online.owner is not None, online.label_names),
        "sweep": [Sweep.objects.get(number=1).state, Sweep.objects.get(number=1).run == runs[6]],
        "trials": list(Trial.objects.order_by("pk").values_list("state", flat=True)),
        "schedules": list(Schedule.objects.order_by("pk").values_list("kind", "task__enabled", "task__crontab__hour")),
        "trigger": (mail.trigger.new_labels, mail.trigger.minutes, mail.trigger.disagreement_points, mail.trigger.kind),
        "verdicts": list(Report.objects.order_by("pk").values_list("outcome", "examples")),
        "learning": list(LearningReport.objects.order_by("pk").values_list("project__name", flat=True)),
        "gap": (gap.full_run == runs[4], gap.incremental_run == runs[2], gap.low, gap.high),
        "aliases": sorted(Alias.objects.values_list("project__name", "name", "version__number")),
        "promotions of mail": list(
            Promotion.objects.filter(project=mail)
            .order_by("pk")
            .values_list("kind", "version__number", "replaced__number", "by__username")
        ),
        "mirrored": list(
            Mirrored.objects.order_by("pk").values_list("run__number", "state", "step", "aliases", "attempts")
        ),
        "laps": list(Lap.objects.order_by("pk").values_list("project__name", "number", "breached", "cause")),
        "target": mail.target.hours,
        "answered by the champion": Prediction.objects.filter(project=mail, label="spam").count(),
        "alerts": list(Alert.objects.order_by("pk").values_list("kind", "note", "times_seen", "resolved_by__username")),
    }


def _counted(values: Any) -> dict[str, int]:
    found = list(values)
    return {value: found.count(value) for value in sorted(set(found))}
