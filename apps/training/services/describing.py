"""What people write beside a run: its name, a note, and tags. None of it changes what the run trains."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from apps.accounts.models import User
from apps.audit.services import event_record
from apps.audit.verbs import Verb
from apps.errors import Invalid
from apps.live.publish import look_again
from apps.live.topics import News, Topic
from apps.pages.sentences import refusal
from apps.rules.sentences import Sentence, sentence, term
from apps.rules.values import MOST_NAME, ValueRefused, name_of, note_of, tags_of, tidy
from apps.training.listing import tags_in
from apps.training.models import Run


@dataclass(frozen=True)
class RunDescription:
    """What is to be different; None leaves as it is, empty takes away."""

    name: str | None = None
    note: str | None = None
    tags: tuple[str, ...] | None = None


@transaction.atomic
def run_describe(*, run: Run, change: RunDescription, by: User, at: datetime) -> Run:
    """A tag that looks like one of another run of the project becomes that one. Raises Invalid, naming the field."""
    run = Run.objects.select_for_update(of=("self",), no_key=True).select_related("project").get(pk=run.pk)
    before = _facts(run)
    _apply(run, change)
    after = _facts(run)
    changed = {name: value for name, value in after.items() if value != before[name]}
    if not changed:
        return run
    run.save(update_fields=list(changed))
    event_record(
        project_id=run.project_id,
        verb=Verb.RUN_DESCRIBED,
        subject=f"run {run.number}",
        by=by,
        at=at,
        sentence=_sentence(run, changed, by),
        before={name: before[name] for name in changed},
        after=changed,
    )
    look_again(Topic.RUN.of(run.pk), News.RUN, run.pk)
    look_again(Topic.PROJECT.of(run.project_id), News.RUN, run.pk)
    return run


def _facts(run: Run) -> dict[str, Any]:
    return {name: getattr(run, name) for name in asdict(RunDescription())}


def _apply(run: Run, change: RunDescription) -> None:
    field = "name"
    try:
        if change.name is not None:
            run.name = name_of(change.name, term("The name"), MOST_NAME) if _holds(change.name) else ""
        if change.note is not None:
            field = "note"
            run.note = note_of(change.note, term("The note"))
        if change.tags is not None:
            field = "tags"
            run.tags = tags_of(change.tags, tags_in(run.project))
    except ValueRefused as refused:
        raise Invalid(refusal(refused), field=field) from refused


def _holds(name: str) -> bool:
    """Whether more than blanks are in it, seen or not."""
    return bool(tidy(name))


def _sentence(run: Run, changed: dict[str, Any], by: User) -> Sentence:
    if list(changed) != ["name"]:
        return sentence("{by} changed what is written beside run {number}.", by=by, number=run.number)
    if not run.name:
        return sentence("{by} took the name of run {number} away.", by=by, number=run.number)
    return sentence("{by} called run {number} “{name}”.", by=by, number=run.number, name=run.name)
