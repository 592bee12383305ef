"""The job that removes a project: table by table in small transactions, so that a killed worker loses one of them at most."""

import logging
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from apps.audit.models import Cursor, Event
from apps.audit.services import event_record, project_scope
from apps.audit.verbs import Verb
from apps.datasets.models import Ingestion, IngestionState
from apps.datasets.services import STALLED
from apps.features.models import Encoder
from apps.integrations import wiring
from apps.integrations.ports import Unavailable
from apps.labeling.models import ScoringPart
from apps.loop.closing.owned import FOLDERS, OUTSIDE, loosened, owned_tables, studies_forget
from apps.projects.models import DeletionState, Project, ProjectDeletion
from apps.rules.sentences import joined, sentence, term
from apps.rules.words import count
from apps.training.models import OnlineLearner, Run, RunState, Schedule, Sweep, Trial, TrialState
from apps.work.endings import End, attempt
from apps.work.jobs import ask
from apps.work.leases import Lease, LeaseLost
from apps.work.names import Job

logger = logging.getLogger(__name__)
AT_ONCE = 2000  # rows a transaction: some tenths of a second, and what a killed worker has to do again
RESEND_AFTER = timedelta(seconds=20)
PAUSE = timedelta(seconds=5)  # while a worker still holds something of it
TROUBLE = timedelta(minutes=1)  # after what could not be done; it is tried until it can


class DeletionLost(LeaseLost):
    """Another worker goes on with it."""

    code = "deletion_lost"


class StillHeld(Exception):
    """Somebody works on the project; the message is one of WAITS."""


LEASE = Lease(timedelta(minutes=2), DeletionLost)


def deletion_send(*, number: int) -> None:
    ask(Job.PROJECT_DELETE, number)


def deletions_sweep(*, at: datetime) -> list[int]:
    """Deletions whose message was lost, whose worker died, or that had to wait: sent again."""
    free = Q(leased_until=None) | Q(leased_until__lt=at)
    silent = Q(sent_at=None) | Q(sent_at__lt=at - RESEND_AFTER) | Q(leased_until__lt=at)
    waiting = ProjectDeletion.objects.filter(free, silent, state=DeletionState.DELETING)
    numbers = list(waiting.values_list("number", flat=True))
    for number in numbers:
        if ask(Job.PROJECT_DELETE, number):
            ProjectDeletion.objects.filter(number=number).update(sent_at=at)
    return numbers


def deletion_work(*, number: int, now: Callable[[], datetime] = timezone.now) -> None:
    """Go on until nothing is left. Twice does no harm: a second worker finds it taken, one that comes later finds less."""
    deletion = _claim(number, now())
    if deletion is None or deletion.owner is None:
        return
    owner = deletion.owner
    ending = attempt(lambda: _Removal(number, owner, now).all(), what="The deletion", refusals=(StillHeld, Unavailable))
    if ending.end in (End.REFUSED, End.FAULT):
        pause = PAUSE if ending.end == End.REFUSED else TROUBLE
        ProjectDeletion.objects.filter(number=number, owner=owner).update(
            owner=None, leased_until=now() + pause, waits_for=ending.sentence[:200]
        )


@transaction.atomic
def _claim(number: int, at: datetime) -> ProjectDeletion | None:
    rows = ProjectDeletion.objects.select_for_update(no_key=True).filter(number=number, state=DeletionState.DELETING)
    deletion = rows.first()
    if deletion is None or deletion.is_held(at):
        return None
    LEASE.take(deletion, at)
    deletion.rows = deletion.rows or sum(table.rows(number).count() for table in owned_tables())
    deletion.save(update_fields=["owner", "leased_until", "attempts", "rows"])
    return deletion


class _Removal:
    """One attempt, by one owner. Every transaction renews the lease and says what went, so the count is right."""

    def __init__(self, number: int, owner: uuid.UUID, now: Callable[[], datetime]) -> None:
        self.number, self.owner, self.now = number, owner, now

    def all(self) -> None:
        self._nobody_is_at_it()
        self._loose_ends()
        for table in owned_tables():
            while self._some(table.rows(self.number), table.name, unlink=table.to_itself):
                pass
        self._files()
        self._project()
        self._files()  # once more: whoever wrote one meanwhile finds no project any more
        while self._some(Event.objects.filter(scope=project_scope(self.number)), Event._meta.db_table):
            pass
        self._done()

    def _nobody_is_at_it(self) -> None:
        at = self.now()
        runs = Run.objects.filter(project=self.number, state=RunState.RUNNING, leased_until__gte=at)
        trials = Trial.objects.filter(sweep__project=self.number, state=TrialState.RUNNING, leased_until__gte=at)
        learners = OnlineLearner.objects.filter(project=self.number, leased_until__gte=at)
        reading = Ingestion.objects.filter(
            project=self.number, state=IngestionState.RUNNING, heartbeat_at__gte=at - STALLED
        )
        for held, what in ((runs, "run"), (trials, "sweep"), (learners, "online"), (reading, "upload")):
            if held.exists():
                raise StillHeld(what)

    def _told(self, what: str, gone: int) -> None:
        """Within the transaction that removed it. Raises DeletionLost, which takes the removal back."""
        row = LEASE.owned(
            ProjectDeletion.objects.filter(number=self.number), self.owner, "Another worker goes on with it."
        )
        if gone:
            row.counts = {**row.counts, what: row.counts.get(what, 0) + gone}
        row.leased_until, row.waits_for = self.now() + LEASE.length, ""
        row.save(update_fields=["counts", "leased_until", "waits_for"])

    @transaction.atomic
    def _some(self, rows, name: str, *, unlink: list[str] | None = None) -> int:  # type: ignore[no-untyped-def]
        """The first rows of a table; how many went."""
        moment: list[str] = getattr(
            rows.model, "partitioned_by", []
        )  # a statement reads the days alone that it empties
        keys = list(rows.order_by(*moment, "pk").values_list(*moment, "pk")[:AT_ONCE])
        if not keys:
            return 0
        if unlink:
            rows.update(**dict.fromkeys(unlink))
        within = {f"{name}__range": (keys[0][0], keys[-1][0]) for name in moment}
        found = rows.model._base_manager.filter(pk__in=[key[-1] for key in keys], **within)
        gone: int = found._raw_delete(rows.db)
        self._told(name, gone)
        return gone

    @transaction.atomic
    def _loose_ends(self) -> None:
        """What names the project, or a row of it, without belonging to it by a key that cannot be empty."""
        for model, key, table in loosened():
            named = self.number if table is None else table.rows(self.number)
            rows = model._base_manager.filter(**{key if table is None else f"{key}__in": named})
            rows.update(**{key: None})
        tasks = list(Schedule.objects.filter(project=self.number).values_list("task_id", flat=True))
        schedules, _ = Schedule.objects.filter(project=self.number).delete()
        PeriodicTask.objects.filter(pk__in=tasks).delete()
        runs = Run.objects.filter(project=self.number).values_list("pk", flat=True)
        encoders, _ = Encoder.objects.filter(run_id__in=list(runs)).delete()
        studies_forget(list(Sweep.objects.filter(project=self.number).values_list("study_name", flat=True)))
        for url in (
            ScoringPart.objects.filter(scoring__project=self.number).exclude(url="").values_list("url", flat=True)
        ):
            wiring.storage().remove(url)
        Cursor.objects.filter(scope=project_scope(self.number)).delete()
        self._told(Schedule._meta.db_table, schedules)
        self._told(Encoder._meta.db_table, encoders)

    def _files(self) -> None:
        for folder in FOLDERS:
            gone = wiring.storage().remove_folder(f"{folder}/{self.number}")
            with transaction.atomic():
                self._told("files", gone)
        for remove in OUTSIDE:
            gone = remove(self.number)
            with transaction.atomic():
                self._told("elsewhere", gone)

    def _project(self) -> None:
        """Tried again from the beginning where a row came after its table was emptied."""
        try:
            with transaction.atomic():
                gone = Project.objects.filter(pk=self.number)._raw_delete("default")
                self._told(Project._meta.db_table, gone)
        except IntegrityError:
            raise StillHeld("late") from None

    @transaction.atomic
    def _done(self) -> None:
        rows = ProjectDeletion.objects.filter(number=self.number)
        row = LEASE.owned(rows, self.owner, "Another worker goes on with it.")
        at = self.now()
        row.state, row.finished_at, row.owner, row.leased_until = DeletionState.COMPLETED, at, None, None
        row.save(update_fields=["state", "finished_at", "owner", "leased_until"])
        examples, files = row.counts.get("datasets_example", 0), row.counts.get("files", 0)
        words = joined([count(examples, "example"), count(row.rows_gone, "row"), count(files, "file")], ", ")
        event_record(
            project_id=None,
            verb=Verb.PROJECT_DELETED,
            subject=f"project {row.number}",
            by=row.by,
            at=at,
            sentence=sentence(
                "{by} deleted the project “{name}” ({words}): {reason}",
                by=row.by or term("System"),
                name=row.name,
                words=words,
                reason=row.reason,
            ),
            after={"name": row.name, "reason": row.reason, "gone": row.counts},
        )
