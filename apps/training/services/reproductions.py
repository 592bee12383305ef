"""Train a completed run once more, from the same version by the same recipe and seed, to see whether the same comes out."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext

from apps.accounts.models import User
from apps.errors import DomainError, NotFound
from apps.live.publish import look_again
from apps.live.topics import News, Topic
from apps.rules.sentences import sentence
from apps.training.models import Run, RunKind, RunLine, RunState, RunTrigger
from apps.training.services.runs import run_start


class NotReproducible(DomainError):
    code = "not_reproducible"


def run_reproduce(*, run: Run, by: User | None, at: datetime) -> Run:
    """Queue the repetition; it becomes no model. Raises NotReproducible in words."""
    original = run.reproduces or run
    version = original.dataset_version
    if original.state != RunState.COMPLETED or version is None:
        raise NotReproducible(
            gettext("Run {number} is {state_display}; only a completed run can be repeated.").format(
                number=original.number, state_display=original.get_state_display().lower()
            )
        )
    if original.kind == RunKind.ONLINE:
        raise NotReproducible(
            gettext(
                "Run {number} records what a learner that never stops had learned; it has no beginning to repeat."
            ).format(number=original.number)
        )
    if version.dropped_at is not None:
        raise NotReproducible(
            gettext("Run {number} was trained on data version {version}, which the project’s policy dropped.").format(
                number=original.number, version=version.number
            )
        )
    return run_start(
        project=original.project,
        kind=original.kind,
        trigger=sentence("To reproduce run {number}.", number=original.number),
        base_run=original.base_run,
        by=by,
        at=at,
        seed=original.seed,
        trigger_type=RunTrigger.REPRODUCED,
        recipe=original.recipe,
        dataset_version=version,
        reproduces=original,
    )


def run_named(words: str, *, project: str = "") -> Run:
    """A run as somebody types it: its id, `project/number`, or its number beside the project's short name."""
    slug, _, number = words.rpartition("/")
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        raise NotFound(gettext("“{words}” names no run. Give its id, or PROJECT/NUMBER.").format(words=words))
    slug = slug or project
    runs = Run.objects.select_related("project", "base_run", "dataset_version", "reproduces__project")
    found = (runs.filter(project__slug=slug, number=number) if slug else runs.filter(pk=number)).first()
    if found is None:
        words = f"{slug}/{number}" if slug else number
        raise NotFound(gettext("There is no run {words}.").format(words=words))
    return found


def comparison_record(*, run_id: int, comparison: dict[str, Any], line: str, at: datetime) -> None:
    """What the worker found; the run is complete by then and nobody else writes it."""
    Run.objects.filter(pk=run_id).update(comparison=comparison)
    RunLine.objects.create(run_id=run_id, at=at, text=line[:400])
    look_again(Topic.RUN.of(run_id), News.REPORT, run_id)
