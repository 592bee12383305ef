"""Train a run once more with changes: what it takes over, what differs, and the start of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.translation import gettext, override

from apps.accounts.models import User
from apps.datasets.models import DatasetVersion
from apps.errors import DomainError, Invalid
from apps.pages.sentences import refusal
from apps.rules.recipes import OF_KIND, Value, setting_of, settings_of
from apps.rules.sentences import Sentence, joined, sentence, term
from apps.rules.values import ValueRefused
from apps.training.models import ASKED_KINDS, Run, RunKind, RunPriority, RunState
from apps.training.services.runs import run_start

MOST_SEED = 2**31 - 1


class NotClonable(DomainError):
    code = "not_clonable"


@dataclass(frozen=True)
class RunCopy:
    """What the new run is to be. Without a version it takes the labels as they stand when a worker takes it."""

    kind: str
    base_run: Run | None = None
    dataset_version: DatasetVersion | None = None
    seed: int = 0
    settings: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class RunDifference:
    name: str
    was: str
    becomes: str


def kind_of_copy(run: Run) -> str:
    """A sweep's run and what no person asks for is trained in full."""
    return run.kind if run.kind in ASKED_KINDS else RunKind.FULL


def copy_of(run: Run, kind: str = "") -> RunCopy:
    """The same again, before anything is changed. Raises NotClonable, Invalid."""
    if run.kind == RunKind.ONLINE:
        raise NotClonable(
            gettext(
                "Run {number} records what a learner that never stops had learned; it has no recipe to change."
            ).format(number=run.number)
        )
    kind = kind or kind_of_copy(run)
    if kind not in OF_KIND:
        raise Invalid(gettext("That kind is not known."), field="kind")
    version = run.dataset_version
    return RunCopy(
        kind=kind,
        base_run=run.base_run if kind == RunKind.INCREMENTAL else None,
        dataset_version=version if version and version.dropped_at is None else None,
        seed=run.seed,
        settings=settings_of(kind, kind_of_copy(run), run.recipe),
    )


def differences(run: Run, copy: RunCopy) -> list[RunDifference]:
    """What a reader compares: first what surrounds the recipe, then its settings; what is the same is left out."""
    none, usual = gettext("none"), gettext("as usual")
    newest = gettext("the labels as they stand")
    before = settings_of(copy.kind, kind_of_copy(run), run.recipe)
    rows = [
        (gettext("kind"), str(RunKind(run.kind).label), str(RunKind(copy.kind).label)),
        (gettext("base"), _run_word(run.base_run, none), _run_word(copy.base_run, none)),
        (
            gettext("data version"),
            _version_word(run.dataset_version, newest),
            _version_word(copy.dataset_version, newest),
        ),
        (gettext("seed"), str(run.seed), str(copy.seed)),
    ]
    rows += [
        (name.replace("_", " "), _word(before.get(name), usual), _word(copy.settings.get(name), usual))
        for name in OF_KIND[copy.kind]
    ]
    return [RunDifference(*row) for row in rows if row[1] != row[2]]


def differences_now(run: Run) -> list[RunDifference]:
    """Between a copy that was taken by a worker and what it is a copy of."""
    if run.cloned_from is None or run.kind not in OF_KIND:
        return []
    settings = settings_of(run.kind, run.kind, run.recipe)
    return differences(run.cloned_from, RunCopy(run.kind, run.base_run, run.dataset_version, run.seed, settings))


def _run_word(run: Run | None, none: str) -> str:
    return str(run.number) if run else none


def _version_word(version: DatasetVersion | None, newest: str) -> str:
    return str(version.number) if version else newest


def _word(value: object, usual: str) -> str:
    return usual if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def run_clone(*, run: Run, copy: RunCopy, by: User, at: datetime, priority: int = RunPriority.NORMAL) -> Run:
    """Queue the copy. Raises Invalid naming the field, and what `run_start` raises."""
    copy_of(run, copy.kind)
    settings = _checked(copy)
    if not 0 <= copy.seed <= MOST_SEED:
        raise Invalid(gettext("A seed is a number from 0 to {most}.").format(most=MOST_SEED), field="seed")
    _base_checked(run, copy)
    _version_checked(run, copy.dataset_version)
    recipe: dict[str, Any] = dict(settings)
    if copy.dataset_version == run.dataset_version and copy.kind == run.kind and run.recipe.get("encoder"):
        recipe["encoder"] = run.recipe[
            "encoder"
        ]  # the same rows read by the same encoder: only what was changed differs
    return run_start(
        project=run.project,
        kind=copy.kind,
        trigger=_trigger(run, copy, by),
        base_run=copy.base_run,
        by=by,
        at=at,
        seed=copy.seed,
        priority=priority,
        recipe=recipe,
        dataset_version=copy.dataset_version,
        cloned_from=run,
    )


def _checked(copy: RunCopy) -> dict[str, Value]:
    settings: dict[str, Value] = {}
    for name, value in copy.settings.items():
        try:
            settings[name] = setting_of(copy.kind, name, value)
        except ValueRefused as refused:
            raise Invalid(refusal(refused), field=name) from refused
    return settings


def _base_checked(run: Run, copy: RunCopy) -> None:
    base = copy.base_run
    if copy.kind != RunKind.INCREMENTAL:
        if base is not None:
            raise Invalid(gettext("Only an incremental run goes on from another one."), field="base_run")
        return
    if base is None:
        raise Invalid(gettext("Choose the run that it goes on from."), field="base_run")
    usable = base.project_id == run.project_id and base.state == RunState.COMPLETED and base.artifact_url
    if not usable or base.kind == RunKind.ONLINE or base.dataset_version_id is None:
        words = gettext("An incremental run goes on from a completed run of this project that trained layers.")
        raise Invalid(words, field="base_run")


def _version_checked(run: Run, version: DatasetVersion | None) -> None:
    if version is None:
        return
    if version.project_id != run.project_id:
        raise Invalid(gettext("There is no such data version in this project."), field="dataset_version")
    if version.dropped_at is not None:
        words = gettext("The project’s policy dropped data version {version}.")
        raise Invalid(words.format(version=version.number), field="dataset_version")


def _trigger(run: Run, copy: RunCopy, by: User) -> Sentence:
    """Stored, so in the record's language, with its parts for readers of others."""
    with override("en"):
        found = differences(run, copy)
    changes = [
        sentence("{name} {was} to {becomes}", name=term(each.name), was=term(each.was), becomes=term(each.becomes))
        for each in found
    ]
    told = joined(changes, ", ") if changes else term("nothing changed")
    return sentence("{by} asked for run {number} again: {changes}.", by=by, number=run.number, changes=told)
