"""How long versions stay readable: the policy, and the versions it lets go. What is kept still reads exactly."""

import contextlib
import logging
import uuid
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext

from apps.accounts.models import User
from apps.audit.services import event_record
from apps.audit.verbs import Verb
from apps.datasets.models import DatasetVersion, VersionPolicy
from apps.datasets.versions.rows import changes_between, table_of
from apps.datasets.versions.storing import size_note, version_state
from apps.errors import Invalid
from apps.integrations import wiring
from apps.integrations.ports import TableMissing, Unavailable
from apps.projects.models import Project
from apps.projects.selectors import projects_in_use
from apps.rules.sentences import sentence, term
from apps.rules.words import count
from apps.work.alone import alone

logger = logging.getLogger(__name__)
TIDY_EVERY = timedelta(hours=1)
KEEP_DAYS, VACUUM_HOURS = (1, 36_500), (0, 8_760)


def policy_of(project: Project) -> VersionPolicy:
    return VersionPolicy.objects.filter(project=project).first() or VersionPolicy(project=project)


@transaction.atomic
def policy_set(*, project: Project, keep_days: int | None, vacuum_hours: int, by: User, at: datetime) -> VersionPolicy:
    """None keeps every version for ever. Raises Invalid with the field that is wrong."""
    if keep_days is not None and not KEEP_DAYS[0] <= keep_days <= KEEP_DAYS[1]:
        raise Invalid(gettext("Versions are kept for 1 to 36,500 days, or for ever."), field="keep_days")
    if not VACUUM_HOURS[0] <= vacuum_hours <= VACUUM_HOURS[1]:
        raise Invalid(gettext("Replaced files are removed after 0 to 8,760 hours."), field="vacuum_hours")
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    policy, _ = VersionPolicy.objects.get_or_create(project=project)
    before = {"keep_days": policy.keep_days, "vacuum_hours": policy.vacuum_hours}
    after = {"keep_days": keep_days, "vacuum_hours": vacuum_hours}
    if before == after:
        return policy
    policy.keep_days, policy.vacuum_hours = keep_days, vacuum_hours
    policy.save(update_fields=["keep_days", "vacuum_hours"])
    kept = sentence("for {days}", days=count(keep_days, "day")) if keep_days else term("for ever")
    event_record(
        project_id=project.pk,
        verb=Verb.VERSIONS_POLICY,
        subject="data versions",
        by=by,
        at=at,
        sentence=sentence(
            "{by} keeps data versions {kept}; replaced files go after {hours}.",
            by=by,
            kept=kept,
            hours=count(vacuum_hours, "hour"),
        ),
        before=before,
        after=after,
    )
    return policy


def versions_tidy(*, project: Project, pinned: Collection[int], at: datetime) -> list[DatasetVersion]:
    """Let go what the policy no longer keeps, then merge and remove files. Returns the versions let go.

    `pinned` are ids of versions that something was or will be trained on. The newest version always stays. The rows are
    dropped first and forgotten in a second transaction: a crash between the two costs space, never a label.
    """
    policy = policy_of(project)
    dropped = versions_drop(project=project, pinned=pinned, at=at) if policy.keep_days else []
    if dropped or policy.kept_at is None or policy.kept_at <= at - TIDY_EVERY:
        _files_tidy(project, at)
        for version in dropped:
            if version.batch is None:
                wiring.storage().remove(version.url)
    return dropped


@transaction.atomic
def versions_drop(*, project: Project, pinned: Collection[int], at: datetime) -> list[DatasetVersion]:
    """Mark what is too old, and fold its changes into the next version that stays. Raises Unavailable; then none is."""
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    policy = policy_of(project)
    live = list(DatasetVersion.objects.filter(project=project, dropped_at=None).order_by("number"))
    if not live or policy.keep_days is None:
        return []
    oldest = at - timedelta(days=policy.keep_days)
    doomed = [v for v in live[:-1] if v.created_at < oldest and v.pk not in pinned]
    if not doomed:
        return []
    gone = {v.pk for v in doomed}
    for url in {v.url for v in doomed if v.batch is not None}:
        _fold([v for v in live if v.url == url and v.batch is not None], gone)
    DatasetVersion.objects.filter(pk__in=gone).update(dropped_at=at)
    numbers = ", ".join(str(v.number) for v in doomed[:20]) + (", …" if len(doomed) > 20 else "")
    event_record(
        project_id=project.pk,
        verb=Verb.VERSIONS_DROPPED,
        subject="data versions",
        by=None,
        at=at,
        sentence=sentence(
            "{data_versions} older than {days} can no longer be read: {numbers}.",
            data_versions=count(len(doomed), "data version"),
            days=count(policy.keep_days, "day"),
            numbers=numbers,
        ),
        after={"dropped": [v.number for v in doomed]},
    )
    return doomed


def _fold(chain: Sequence[DatasetVersion], gone: Collection[int]) -> None:
    """Each kept version behind a dropped one gets a new batch: everything since the kept version before it.

    The batches are named at the end, all at once: until then every version is read from the old ones.
    """
    kept_before: DatasetVersion | None = None
    behind_a_gap = False
    batches: dict[int, uuid.UUID] = {}
    for version in chain:
        if version.pk in gone:
            behind_a_gap = True
            continue
        if behind_a_gap:
            batch = batches[version.pk] = uuid.uuid4()
            before = version_state(kept_before) if kept_before else {}
            changes = changes_between(before, version_state(version))
            wiring.tables.append(version.url, table_of(changes, batch=str(batch), number=version.number))
        kept_before, behind_a_gap = version, False
    for version_id, batch in batches.items():
        DatasetVersion.objects.filter(pk=version_id).update(batch=batch)


@transaction.atomic
def _files_tidy(project: Project, at: datetime) -> None:
    """Under the lock that a writer holds too, so that no append without its name yet is taken for an orphan."""
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    policy, _ = VersionPolicy.objects.get_or_create(project=project)
    named = DatasetVersion.objects.filter(project=project, dropped_at=None).exclude(batch=None)
    batches: dict[str, list[str]] = {}
    for url, batch in named.values_list("url", "batch"):
        batches.setdefault(url, []).append(str(batch))
    for url, keep in batches.items():
        with contextlib.suppress(TableMissing):
            size_note(project_id=project.pk, size=wiring.tables.tidy(url, keep, vacuum_hours=policy.vacuum_hours))
    VersionPolicy.objects.filter(project=project).update(kept_at=at)


def projects_tidy(*, pins: dict[int, set[int]], at: datetime) -> list[DatasetVersion]:
    """Every project that has versions, each for itself: a damaged table of one is no reason to leave the others."""
    dropped = []
    for project in projects_in_use().filter(dataset_versions__isnull=False).distinct():
        with alone("the data versions", project):
            try:
                dropped += versions_tidy(project=project, pinned=pins.get(project.pk, set()), at=at)
            except Unavailable as cause:
                logger.error("The data versions of %s were not tidied: %s", project, cause)
    return dropped
