"""The last link: the alarm closes itself once another model serves and is better on the labels that judge the slice, or once its
labels show nothing that has to be mended.

Both are held against each other on the same labels, which neither was trained on: every third example of the lane is kept out of
training until then. Closed, its labels are free to be learned from.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from apps.labeling.services.drift_lane import drift_lane_counts, drift_lane_end
from apps.loop.mending.selectors import measured_against
from apps.loop.mending.steps import step_set
from apps.loop.models import Mending, MendingLink, StepState
from apps.monitoring.services import alert_resolve
from apps.releases.selectors import champion_of
from apps.rules.gates.drifted_slice import LEAST_JUDGES
from apps.rules.sentences import sentence
from apps.rules.words import count, percent, time_words
from apps.work.jobs import ask
from apps.work.names import Job

ASKED_AGAIN = timedelta(minutes=2)  # measuring takes seconds; after that its worker is dead


def slice_ask(mending: Mending, at: datetime) -> None:
    """Have a worker measure, once in a while until it has."""
    silent = Q(asked_at=None) | Q(asked_at__lt=at - ASKED_AGAIN)
    if Mending.objects.filter(silent, pk=mending.pk).update(asked_at=at):
        mending.asked_at = at
        transaction.on_commit(lambda: ask(Job.SLICE, mending.pk))


@transaction.atomic
def slice_measured(*, mending_id: int, number: int, judges: int, before: int, after: int, at: datetime) -> None:
    """Of `judges` labels `before` were right by the model of the alarm and `after` by v`number`. A model that is not the one to be
    held against it any more is not kept."""
    mending = (
        Mending.objects.select_for_update(of=("self",), no_key=True).select_related("project", "run").get(pk=mending_id)
    )
    wanted = measured_against(mending)
    if wanted is None or wanted.number != number:
        return
    mending.measured_number, mending.measured_at = number, at
    mending.judges, mending.before, mending.after = judges, before, after
    mending.save(update_fields=["measured_number", "measured_at", "judges", "before", "after"])


def figure_of(mending: Mending) -> str:
    """“accuracy on the slice 61 % -> 88 %”."""
    n = max(mending.judges, 1)
    return sentence(
        "accuracy on the slice {before} → {after}, by {n} labels",
        before=percent(mending.before / n),
        after=percent(mending.after / n),
        n=mending.judges,
    )


def closing_look(mending: Mending, at: datetime) -> bool:
    """Close the alarm where the slice is mended. True where it did."""
    champion, target = champion_of(mending.project), measured_against(mending)
    if champion is None or target is None or target.pk != champion.pk:
        return False
    counts = drift_lane_counts(mending.project, mending.pk)
    if counts.judged < LEAST_JUDGES:
        return False
    if mending.measured_number != champion.number:
        slice_ask(mending, at)
        return False
    if mending.after <= mending.before:
        words = sentence(
            "v{number} serves and does not mend it: {figure}. The alarm stays open.",
            number=champion.number,
            figure=figure_of(mending),
        )
        step_set(mending, MendingLink.CLOSING, StepState.WAITING, words, at=at)
        return False
    words = sentence(
        "Closed by itself: {figure}, {time} after the alarm, {labels}.",
        figure=figure_of(mending),
        time=time_words((at - mending.alert.opened_at).total_seconds()),
        labels=count(counts.labeled, "label"),
    )
    n = max(mending.judges, 1)
    alarm_close(mending, words, at, version=champion.number, before=mending.before / n, after=mending.after / n)
    return True


def alarm_close(mending: Mending, words: str, at: datetime, **facts: Any) -> None:
    """Its labels may be learned from from now on."""
    alert_resolve(project=mending.project, alert_id=mending.pk, note=words, by=None, at=at)
    drift_lane_end(project=mending.project, alert_number=mending.pk, at=at)
    step_set(mending, MendingLink.CLOSING, StepState.DONE, words, at=at, **facts)
