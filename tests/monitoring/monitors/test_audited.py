"""Labels that people gave to logged requests are losses where they were drawn by chance, and judge the alarm that asked for them;
groups are held against what was wrong once labels are mature; volume slides."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from apps.accounts.models import User
from apps.datasets.models import Example
from apps.labeling.models import DriftExample, Label, LabelSource, Lane
from apps.loop.services.audited import answers_audited, slice_audited
from apps.monitoring.log.services import AskedRow, LoggedPrediction, predictions_record
from apps.monitoring.models import Alert, Feedback, MonitorReading
from apps.monitoring.monitors.evidence import WindowEvidence
from apps.monitoring.monitors.reference import AuditedAnswer
from apps.monitoring.monitors.scoring import alarms_judge
from apps.monitoring.monitors.windows import windows_due
from apps.projects.models import Project
from apps.rules.monitors import MonitorNeed, monitor_policy_of
from tests.conftest import NOON
from tests.monitoring.monitors.conftest import MIDNIGHT, SERVES, answered, came_back, look, reference

Watched = Callable[..., Project]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def labeled(
    project: Project, external: str, label: str, *, lane: str = Lane.AUDIT, source: str = LabelSource.CONSENSUS
) -> Example:
    """An example that is called as a request was, with a label."""
    example = Example.objects.create(
        project=project, external_id=external, content_digest=external, fields={"text": external}, holdout=False,
        collected_at=NOON, ingested_at=NOON,
    )  # fmt: skip
    Label.objects.create(
        project=project, example=example, label=project.labels.get(name=label), source=source, holdout=False, lane=lane,
        shown_at=NOON, resolved_at=NOON,
    )  # fmt: skip
    return example


def said(project: Project, name: str, *, item: int = 0, label: str = "ham", version: int = 1, **more: object) -> None:
    given = {"confidence": 0.9, "latency_ms": 1.0, "at": MIDNIGHT - HOUR, **more}
    row = LoggedPrediction(
        project_id=project.pk, inference_id=name, item=item, model_number=version, label=label, **given
    )  # type: ignore[arg-type]
    predictions_record(rows=[row])


def test_labels_by_people_say_what_was_wrong(project: Project) -> None:
    for name, label in (("right", "ham"), ("wrong", "spam"), ("many#2", "spam")):
        labeled(project, name, label)
        said(project, name.split("#")[0], item=2 if "#" in name else 0)
    said(project, "many")  # another row of the same request
    found = answers_audited(project, 1, SERVES, NOON)
    assert [(each.inference_id, each.item, each.wrong) for each in found] == [
        ("right", 0, False), ("wrong", 0, True), ("many", 2, True),
    ]  # fmt: skip
    assert answers_audited(project, 2, SERVES, NOON) == [], "another version said nothing"
    assert answers_audited(project, 1, NOON, NOON + DAY) == [], "nothing was answered then"


@pytest.mark.parametrize(
    ("lane", "source"),
    [
        (Lane.ACTIVE, LabelSource.CONSENSUS),
        (Lane.DRIFT, LabelSource.CONSENSUS),
        (Lane.AUDIT, LabelSource.IMPORTED),
        (Lane.RANDOM, LabelSource.FEEDBACK),
    ],
)
def test_what_was_not_drawn_by_chance_or_not_said_by_people_is_no_loss(
    project: Project, lane: str, source: str
) -> None:
    labeled(project, "q", "spam", lane=lane, source=source)
    said(project, "q")
    assert answers_audited(project, 1, SERVES, NOON) == []


def test_audits_are_losses_in_the_order_of_the_answers_and_feedback_has_the_last_word(project: Project) -> None:
    came_back(project, MIDNIGHT, [1, 1, 0], hours=3)
    named = Feedback.objects.order_by("answered_at").values_list("inference_id", flat=True)[0]
    audits = [
        AuditedAnswer("audit", 0, MIDNIGHT - 1.5 * HOUR, True),
        AuditedAnswer(named, 0, MIDNIGHT - 2 * HOUR, True),  # came back as right
    ]
    held = reference(audited=lambda since, until: audits)
    window = WindowEvidence(project, held, MIDNIGHT - DAY, MIDNIGHT, SERVES, HOUR, MIDNIGHT)
    losses = window.of({MonitorNeed.LOSSES}).losses
    assert losses is not None and losses.wrong.tolist() == [0, 1, 0, 1] and losses.fresh == 4


def test_labels_of_one_moment_stay_in_their_order(project: Project) -> None:
    came_back(project, MIDNIGHT, [0, 1, 0, 1], hours=0)
    losses = (
        WindowEvidence(project, reference(), MIDNIGHT - DAY, MIDNIGHT, SERVES, HOUR, MIDNIGHT)
        .of({MonitorNeed.LOSSES})
        .losses
    )
    assert losses is not None
    ids = Feedback.objects.order_by("id").values_list("worth", flat=True)
    assert losses.wrong.tolist() == [1 - round(worth or 0) for worth in ids]


def test_an_alarm_without_feedback_is_judged_by_its_own_lane(watched: Watched) -> None:
    project = watched({"type": "class_mix"})
    answered(project, MIDNIGHT, ["ham"])
    look(project, MIDNIGHT)
    alert = Alert.objects.get()
    for n in range(40):
        example = labeled(project, f"j{n}", "spam" if n % 2 else "ham", lane=Lane.DRIFT)
        DriftExample.objects.create(
            project=project, example=example, alert_number=alert.pk, judges=n < 32, asked_at=NOON
        )
        said(project, f"j{n}")
    judging = slice_audited(project, 1, alert.pk)
    assert (len(judging), sum(each.wrong for each in judging)) == (32, 16)
    held = reference(slice_audited=lambda number: slice_audited(project, 1, number))
    alarms_judge(project=project, reference=held, at=MIDNIGHT + 2 * DAY + HOUR)
    alert.refresh_from_db()
    assert alert.verdict == "true" and "50.0 % of 32 answers with a label were wrong" in alert.verdict_words


# Groups


def test_groups_are_held_against_what_was_wrong_once_that_is_mature(watched: Watched) -> None:
    project = watched({"type": "fairness-drift"})
    groups = {"country": ("A", "A", "B", "B") * 50}  # as often ham as spam
    for day in (1, 2):  # the labels of the day before are mature when this one ends
        at = MIDNIGHT - (day - 1) * DAY
        for n in range(160):
            name, country = f"d{day}n{n}", "AB"[n % 2]
            moment = at - timedelta(minutes=n + 1)
            said(project, name, label=("ham", "spam")[n // 2 % 2], at=moment, asked=AskedRow({"country": country}))
            wrong = day == 2 and country == "A" and n % 3 != 0
            Feedback.objects.create(
                project=project, inference_id=name, name="label", label="ham", at=at, received_at=at, first_received_at=at,
                answered_at=moment, model_number=1, worth=0.0 if wrong else 1.0,
            )  # fmt: skip
    look(project, MIDNIGHT, groups=lambda: groups)
    reading = MonitorReading.objects.get(until=MIDNIGHT)
    drifted = [each["name"] for each in reading.features if each["drifted"]]
    assert "country: A (wrong)" in drifted and "country: A (said)" not in drifted
    assert reading.outcome == "raised"


# Volume


def test_windows_of_volume_slide_by_the_hour(watched: Watched) -> None:
    [settings] = monitor_policy_of({"monitors": [{"type": "volume"}]}).monitors
    assert (settings.length, settings.step) == (3 * HOUR, HOUR)
    [short] = monitor_policy_of({"monitors": [{"type": "volume", "window": "30m"}]}).monitors
    assert short.step == short.length
    at = MIDNIGHT + timedelta(minutes=70)
    due = list(windows_due(at=at, length=3 * HOUR, judged_until=MIDNIGHT, begins=SERVES, step=HOUR))
    assert due == [(MIDNIGHT - 2 * HOUR, MIDNIGHT + HOUR)]


def test_silence_is_told_within_the_hour(watched: Watched) -> None:
    """It begins an hour before a window would have ended that lies end to end with the others."""
    project, until = watched({"type": "volume"}), MIDNIGHT + HOUR
    for week in range(1, 5):
        answered(project, until - week * 7 * DAY, n=60 * 8, hours=24)
    answered(project, until - 3 * HOUR - timedelta(minutes=1), n=60 * 7, hours=21)
    found = look(project, until)
    assert found[-1].outcome == "raised" and (found[-1].since, found[-1].until) == (until - 3 * HOUR, until)
    assert "No request for 3 h where 60 are usual." in Alert.objects.get().detail


def test_a_budget_counts_each_step_of_a_sliding_window() -> None:
    policy = monitor_policy_of({"monitors": [{"type": "volume"}], "budget": 1})
    assert policy.target(policy.monitors[0]).per_window == pytest.approx(1 / 720)


def test_whoever_looks_late_may_have_been_told(watched: Watched, mona: User) -> None:
    """A window is judged once, also where windows overlap."""
    project = watched({"type": "volume"})
    answered(project, MIDNIGHT - 21 * DAY, n=60, hours=24)
    look(project, MIDNIGHT)
    before = MonitorReading.objects.count()
    assert look(project, MIDNIGHT + timedelta(minutes=30)) == [] and MonitorReading.objects.count() == before == 3
