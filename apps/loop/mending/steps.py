"""Where the links of an alarm stand: one row each, written where it changes, audited where something was done."""

from datetime import datetime
from typing import Any

from apps.accounts.models import User
from apps.audit.services import event_record
from apps.audit.verbs import Verb
from apps.errors import DomainError
from apps.live.publish import look_again
from apps.live.topics import News, Topic
from apps.loop.models import Mending, MendingLink, MendingStep, StepState
from apps.pages.sentences import plain
from apps.rules.sentences import cut, parts_of, sentence, term

FINAL = (StepState.DONE, StepState.NOTHING)
ACTS = {
    MendingLink.ROLLBACK: term("roll back"),
    MendingLink.LANE: term("labels"),
    MendingLink.RETRAIN: term("training"),
    MendingLink.RELEASE: term("release"),
    MendingLink.CLOSING: term("closing"),
}


def refusal_of(words: str) -> DomainError:
    """In the language of whoever clicked."""
    return DomainError(plain(words, parts_of(words)))


def step_of(mending: Mending, link: MendingLink) -> MendingStep | None:
    return MendingStep.objects.filter(mending=mending, link=link).first()


def step_set(
    mending: Mending,
    link: MendingLink,
    state: StepState,
    words: str,
    *,
    at: datetime,
    by: User | None = None,
    **facts: Any,
) -> MendingStep:
    """Within the transaction that holds the mending's row. The trail tells of what was done, not of every wait."""
    was = step_of(mending, link)
    if was is not None and (was.state, was.words) == (state, words[:400]):
        return was
    row, _ = MendingStep.objects.update_or_create(
        mending=mending,
        link=link,
        defaults={"state": state, "words": cut(words, 400), "parts": parts_of(words), "at": at},
    )
    if state == StepState.DONE:
        event_record(
            project_id=mending.project_id,
            verb=Verb.ALERT_FOLLOWED,
            subject=f"alert {mending.pk}",
            by=by,
            at=at,
            sentence=sentence(
                "What follows from alarm {number}, {act}: {words}", number=mending.pk, act=ACTS[link], words=words
            ),
            after={"link": str(link), **facts},
        )
    look_again(Topic.PROJECT.of(mending.project_id), News.ALERT, mending.pk)
    return row
