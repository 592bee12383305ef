"""The learner that never stops, on real digits, texts and rows of a table: real PostgreSQL, real files, in this process."""

import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from apps.accounts.models import User
from apps.evaluation.models import Report
from apps.integrations import wiring
from apps.integrations.ports import Unavailable
from apps.labeling.models import Label, QueueSettings
from apps.loop import services as loop
from apps.projects.models import Project
from apps.projects.services import LabelSpec, schema_extend
from apps.releases.models import ModelVersion
from apps.releases.services import model_promote
from apps.training.models import OnlineLearner, OnlinePoint, Run, RunKind, RunState, RunTrigger
from apps.training.selectors import last_run_of
from apps.training.services import online_updates
from apps.training.services.online import online_check, online_publish_ask, online_set
from apps.work.names import Job
from tests.training.samples import table
from tests.workers.at_once import JobsAtOnce
from tests.workers.mail import MINILM, texts
from workers.tasks import online as task
from workers.tasks.bundles import bundle_at
from workers.tasks.online import online
from workers.tasks.rows import rows_of
from workers.training.models.bundle import predict

pytestmark = pytest.mark.django_db(transaction=True)
Switch = Callable[..., OnlineLearner]
NEVER = 1_000_000


@pytest.fixture
def switch(lin: User) -> Switch:
    """Switch on; the job runs at once."""

    def switched(project: Project, *, publish_every: int = NEVER, enabled: bool = True) -> OnlineLearner:
        online_set(project=project, enabled=enabled, publish_every=publish_every, by=lin, at=timezone.now())
        return learner(project)

    return switched


def learner(project: Project) -> OnlineLearner:
    return OnlineLearner.objects.get(project=project)


def trainable(project: Project) -> int:
    return Label.objects.filter(project=project, holdout=False).count()


def test_every_label_outside_the_holdout_is_learned_once(digits: Project, switch: Switch) -> None:
    found = switch(digits)
    assert found.examples == found.unpublished == trainable(digits) > 200
    assert found.error == ""
    assert 0 < found.right < found.examples and found.loss_sum > 0 and found.seconds > 0
    online(digits.pk)
    assert learner(digits).examples == found.examples
    assert OnlinePoint.objects.count() == 1


def test_labels_in_the_holdout_are_never_learned(digits: Project, switch: Switch) -> None:
    Label.objects.filter(project=digits).update(holdout=True)
    found = switch(digits)
    assert (found.examples, found.state_url) == (0, "")


def test_new_labels_go_on_from_the_kept_state(mail: Project, switch: Switch, take) -> None:
    take(mail, texts(1000, 200, labeled=True))
    first = switch(mail)
    take(mail, texts(2000, 100, labeled=True))
    online(mail.pk)
    second = learner(mail)
    assert second.examples == trainable(mail) > first.examples
    points = list(OnlinePoint.objects.filter(learner=second))
    assert [p.learned for p in points] == [first.examples, second.examples - first.examples]
    assert points[1].loss < points[0].loss and points[1].accuracy > 0.9  # it had not forgotten
    assert second.state_url != first.state_url
    with pytest.raises(Unavailable):
        wiring.storage().read(first.state_url)  # the old state is removed


def test_a_model_is_made_every_so_many_examples_judged_and_numbered(digits: Project, switch: Switch) -> None:
    found = switch(digits, publish_every=100)
    run = Run.objects.get(project=digits)
    assert (run.kind, run.state, run.trigger_type) == (RunKind.ONLINE, RunState.COMPLETED, RunTrigger.ONLINE)
    assert (run.labels, run.new_labels) == (found.examples, found.examples)
    assert (found.unpublished, found.last_run_id) == (0, run.pk)
    assert run.device_s == pytest.approx(found.seconds)
    assert [p.step for p in run.points.all()] == [found.examples]
    report = Report.objects.get(run=run)
    assert report.examples == Label.objects.filter(project=digits, holdout=True).count()
    assert report.metrics["accuracy"]["value"] > 0.6  # one look at 240 digits of 10 kinds
    assert ModelVersion.objects.get(run=run).number == 1
    assert not Label.objects.filter(project=digits, holdout=True, first_run_number__isnull=False).exists()


def test_no_second_model_is_made_before_enough_was_learned(digits: Project, switch: Switch) -> None:
    switch(digits, publish_every=100)
    online(digits.pk)
    online(digits.pk)
    assert Run.objects.count() == 1


def test_a_click_makes_a_model_now_and_once(digits: Project, switch: Switch, lin: User) -> None:
    switch(digits)
    assert not Run.objects.exists()
    online_publish_ask(project=digits, by=lin, at=timezone.now())
    run = Run.objects.get()
    assert "asked for by a person" in run.trigger
    assert (learner(digits).asked_at, learner(digits).unpublished) == (None, 0)


def test_rows_of_a_table_become_a_model_that_the_loop_serves_and_goes_on_from(
    make_project: Callable[..., Project], jobs: JobsAtOnce, take, switch: Switch, lin: User
) -> None:
    project = make_project("tabular-classification", ("no", "yes"), name="Rows", holdout_share=0.2)
    rows, targets = table(600)
    take(
        project,
        [
            {"id": f"r{i}", **row, "label": ("no", "yes")[int(t)]}
            for i, (row, t) in enumerate(zip(rows, targets, strict=True))
        ],
    )
    switch(project, publish_every=10)
    run = Run.objects.get(project=project)
    report = Report.objects.get(run=run)
    assert run.measured["progressive_accuracy"] > 0.75  # a hundred held rows, drawn by chance, would tell less
    assert report.examples == Label.objects.filter(project=project, holdout=True).count()
    held = list(Label.objects.filter(project=project, holdout=True).values_list("pk", flat=True))
    assert predict(bundle_at(run.artifact_url), rows_of(project, held)).shape == (len(held), 2)
    after = loop.run_start_now(project=project, kind="full", by=lin, at=timezone.now())
    after.refresh_from_db()
    assert after.state == RunState.COMPLETED, after.error


def test_an_incremental_run_starts_from_what_was_learned_online(mail: Project, switch: Switch, take, lin: User) -> None:
    from apps.training.services.runs import run_start

    take(mail, texts(1000, 200, labeled=True))
    switch(mail, publish_every=10)
    base = Run.objects.get(project=mail)
    take(mail, texts(2000, 100, labeled=True))
    run = run_start(project=mail, kind="incremental", trigger="", base_run=base, by=lin, at=timezone.now())
    run.refresh_from_db()
    assert (run.state, run.error) == (RunState.COMPLETED, "")
    assert Report.objects.get(run=run).metrics["accuracy"]["value"] > 0.9


def test_a_worker_that_dies_between_state_and_row_has_learned_nothing(
    digits: Project, switch: Switch, jobs: JobsAtOnce, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs.held.add(Job.ONLINE)
    switch(digits)

    def killed(**given: object) -> OnlineLearner:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(task, "online_learned", killed)
        with pytest.raises(SystemExit):
            online(digits.pk)
    found = learner(digits)
    assert (found.examples, found.cursor_at, found.state_url) == (0, None, "")
    online(digits.pk)  # its lease still holds
    assert learner(digits).examples == 0
    OnlineLearner.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    online(digits.pk)
    assert learner(digits).examples == trainable(digits)


def test_a_worker_that_was_replaced_moves_neither_state_nor_cursor(digits: Project, switch: Switch) -> None:
    found = switch(digits)
    old = online_updates.online_claim(project_id=digits.pk, at=timezone.now())
    late = timezone.now() + online_updates.LEASE.length + timedelta(seconds=1)
    online_updates.online_claim(project_id=digits.pk, at=late)
    assert old.owner is not None
    update = online_updates.Update("file:///other", 5, 1.0, 5, 0.1, late, 1, 0)
    with pytest.raises(online_updates.OnlineLost):
        online_updates.online_learned(project_id=digits.pk, owner=old.owner, update=update, at=late)
    assert (learner(digits).examples, learner(digits).state_url) == (found.examples, found.state_url)


def test_a_worker_that_dies_after_its_model_was_recorded_makes_no_second_one(
    digits: Project, switch: Switch, jobs: JobsAtOnce, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs.held.add(Job.ONLINE)
    switch(digits, publish_every=10)

    def killed(run: Run) -> None:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(task, "judge_run", killed)
        with pytest.raises(SystemExit):
            online(digits.pk)
    OnlineLearner.objects.update(leased_until=None)
    online(digits.pk)
    assert Run.objects.count() == 1


def test_a_click_while_a_worker_is_about_to_give_the_learner_back_is_not_lost_until_the_next_minute(
    digits: Project, switch: Switch, lin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = task._publish

    def clicked(project: Project, owner: uuid.UUID) -> Run | None:
        found = looked(project, owner)
        if not OnlineLearner.objects.get().asked_at and not Run.objects.exists():
            online_publish_ask(project=project, by=lin, at=timezone.now())
        return found

    monkeypatch.setattr(task, "_publish", clicked)
    switch(digits, publish_every=1000)
    assert Run.objects.get().kind == RunKind.ONLINE
    assert learner(digits).asked_at is None


def test_labels_are_new_to_the_trigger_until_the_online_model_serves(
    digits: Project, switch: Switch, jobs: JobsAtOnce, lin: User
) -> None:
    new = Label.objects.filter(project=digits, holdout=False, first_run_number=None)
    before = new.count()
    switch(digits, publish_every=10)
    version = ModelVersion.objects.get()
    assert version.run.kind == RunKind.ONLINE and last_run_of(digits) is None
    assert new.count() == before
    model_promote(version=version, reason="it follows the stream by the minute", by=lin, at=timezone.now())
    assert new.count() == 0


def test_a_label_that_was_changed_is_learned_again_as_it_is_now(digits: Project, switch: Switch) -> None:
    before = switch(digits).examples
    changed = Label.objects.filter(project=digits, holdout=False).first()
    assert changed is not None
    Label.objects.filter(pk=changed.pk).update(resolved_at=timezone.now())
    online(digits.pk)
    assert learner(digits).examples == before + 1


def test_a_label_committed_after_a_younger_one_was_read_is_still_learned(digits: Project, switch: Switch) -> None:
    late = Label.objects.filter(project=digits, holdout=False).first()
    assert late is not None
    Label.objects.filter(pk=late.pk).update(holdout=True)  # as if its transaction were still open
    found = switch(digits)
    assert found.cursor_at is not None
    before = found.examples
    Label.objects.filter(pk=late.pk).update(holdout=False, resolved_at=found.cursor_at - timedelta(minutes=5))
    online(digits.pk)
    assert learner(digits).examples == before + 1
    online(digits.pk)
    assert learner(digits).examples == before + 1


def test_many_labels_are_learned_in_parts_each_kept_by_itself(
    digits: Project, switch: Switch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task, "PART", 100)
    found = switch(digits)
    assert found.examples == trainable(digits)
    assert OnlinePoint.objects.filter(learner=found).count() == 3


@pytest.mark.parametrize(("harm", "word"), [("lost", "is lost"), ("damaged", "is damaged")])
def test_without_its_state_the_learner_begins_again_and_says_so(
    digits: Project, switch: Switch, harm: str, word: str
) -> None:
    found = switch(digits)
    if harm == "lost":
        wiring.storage().remove(found.state_url)
    else:
        content = wiring.storage().read(found.state_url)
        name = found.state_url.removeprefix(wiring.storage().url(""))
        wiring.storage().write(name, content[:-20] + bytes(20))
    online(digits.pk)
    again = learner(digits)
    assert word in again.error
    assert (again.examples, OnlinePoint.objects.count()) == (found.examples, 1)


def test_a_new_label_in_the_schema_makes_the_learner_begin_again(digits: Project, switch: Switch, mona: User) -> None:
    found = switch(digits)
    schema_extend(project=digits, labels=[LabelSpec("none")], by=mona, at=timezone.now())
    online(digits.pk)
    again = learner(digits)
    assert "labels of the project have changed" in again.error
    assert again.label_names[-1] == "none"
    assert again.examples == found.examples


def test_another_encoder_makes_the_learner_begin_again(mail: Project, switch: Switch, take) -> None:
    take(mail, texts(1000, 60, labeled=True))
    found = switch(mail)
    other = MINILM
    QueueSettings.objects.filter(project=mail).update(encoder=other)
    online(mail.pk)
    again = learner(mail)
    assert "another encoder" in again.error
    assert (again.encoder, again.examples) == (other, found.examples)


def test_one_class_alone_is_learned_and_published(digits: Project, switch: Switch) -> None:
    seven = digits.labels.get(name="7")
    Label.objects.filter(project=digits).update(label=seven)
    found = switch(digits, publish_every=10)
    assert found.right > 0.9 * found.examples
    assert Report.objects.filter(run__project=digits).exists()


def test_a_learner_that_is_off_learns_nothing(digits: Project, switch: Switch) -> None:
    switch(digits, enabled=False)
    online(digits.pk)
    assert learner(digits).examples == 0
    assert online_check(at=timezone.now()) == []


def test_a_fault_is_told_on_the_page_and_the_next_turn_goes_on(
    digits: Project, switch: Switch, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*given: object) -> None:
        raise RuntimeError("no such thing")

    with monkeypatch.context() as patched:
        patched.setattr(task, "learn", broken)
        found = switch(digits)
    assert "a fault of ours" in found.error and "no such thing" in found.error
    assert (found.examples, found.leased_until) == (0, None)
    online(digits.pk)
    assert (learner(digits).error, learner(digits).examples) == ("", trainable(digits))


def test_the_clock_wakes_a_learner_only_for_something_to_do(digits: Project, switch: Switch, jobs: JobsAtOnce) -> None:
    read_until = switch(digits).cursor_at
    assert read_until is not None
    jobs.held.add(Job.ONLINE)
    calm = read_until + timedelta(hours=1)
    assert online_check(at=calm) == []
    label = Label.objects.filter(project=digits, holdout=False).first()
    assert label is not None
    Label.objects.filter(pk=label.pk).update(resolved_at=read_until + timedelta(minutes=30))
    assert online_check(at=calm) == [digits.pk]
    OnlineLearner.objects.update(leased_until=calm + timedelta(seconds=9))
    assert online_check(at=calm) == []
    OnlineLearner.objects.update(leased_until=calm - timedelta(seconds=9))
    assert online_check(at=calm) == [digits.pk]
