"""Read the work of each person: aggregates in SQL, so that fifty people and a hundred thousand answers are one pass."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Count

from apps.accounts.models import User
from apps.labeling.models import Annotation, Pause, SkipReason
from apps.projects.models import Project
from apps.quality.votes import agreed_of
from apps.rules.agreement import Partner, Share, difference, share_of

FAST_MS = 2000  # Potato's threshold: below it nobody has read
FAST_LISTED = 20


@dataclass(frozen=True)
class Anchoring:
    """How often the answer is the model's guess where it was shown, and where chance hid it. `gap` is the difference
    with its 95 % interval, None where one of the two is unknown."""

    shown: Share
    hidden: Share

    @property
    def gap(self) -> tuple[float, float, float] | None:
        return difference(self.shown, self.hidden)

    @property
    def sways(self) -> bool:
        """Whether seeing the guess surely raises agreement with it."""
        return self.gap is not None and self.gap[1] > 0


@dataclass(frozen=True)
class Work:
    """What one person, or the team, has done. Rates are per hour of active time, not of the clock on the wall."""

    answers: int
    skips: int
    per_hour: float | None
    median_s: float | None
    fast: Share
    gold: Share
    accepted: Share  # suggestions, the planted ones apart
    planted: Share  # wrong suggestions that were taken
    anchoring: Anchoring
    flagged: int
    last_at: datetime | None


@dataclass(frozen=True)
class Person:
    user: User
    work: Work
    partner: Partner | None  # agreement with everybody they met
    pause: Pause | None = None
    skipped: dict[str, int] = field(default_factory=dict)

    @property
    def skip_words(self) -> list[tuple[str, int]]:
        """The reasons with how often, most frequent first."""
        return sorted(((str(SkipReason(r).label), n) for r, n in self.skipped.items()), key=lambda x: -x[1])


_COLUMNS = """
    count(*) FILTER (WHERE n.skip_reason = ''),
    count(*) FILTER (WHERE n.skip_reason <> ''),
    count(*) FILTER (WHERE n.skip_reason = '' AND n.active_ms > 0),
    coalesce(sum(n.active_ms) FILTER (WHERE n.skip_reason = ''), 0)::bigint,
    count(*) FILTER (WHERE n.skip_reason = '' AND n.active_ms > 0 AND n.active_ms < %(fast)s),
    count(*) FILTER (WHERE n."right" IS NOT NULL),
    count(*) FILTER (WHERE n."right"),
    count(*) FILTER (WHERE n.skip_reason = '' AND NOT a.planted AND (a.suggestion <> '' OR a.suggested_value IS NOT NULL)),
    count(*) FILTER (WHERE n.skip_reason = '' AND NOT a.planted
        AND ((a.suggestion <> '' AND s.name = a.suggestion) OR n.value = a.suggested_value)),
    count(*) FILTER (WHERE n.skip_reason = '' AND a.planted),
    count(*) FILTER (WHERE n.skip_reason = '' AND a.planted AND s.name = a.suggestion),
    count(*) FILTER (WHERE n.skip_reason = '' AND g.guess IS NOT NULL AND a.suggestion <> ''),
    count(*) FILTER (WHERE n.skip_reason = '' AND g.guess IS NOT NULL AND a.suggestion <> '' AND s.name = g.guess),
    count(*) FILTER (WHERE n.skip_reason = '' AND g.guess IS NOT NULL AND a.suggestion = ''),
    count(*) FILTER (WHERE n.skip_reason = '' AND g.guess IS NOT NULL AND a.suggestion = '' AND s.name = g.guess),
    count(*) FILTER (WHERE n.flagged),
    max(n.answered_at)
"""
# The guess counts in the active lane only: elsewhere it is hidden for reasons other than chance.
_WORK = f"""
    SELECT n.annotator_id, {_COLUMNS}
    FROM labeling_annotation n
    JOIN labeling_assignment a ON a.id = n.assignment_id
    LEFT JOIN projects_schemalabel s ON s.id = n.label_id
    CROSS JOIN LATERAL (SELECT CASE WHEN a.lane = 'active' THEN a.reason ->> 'suggestion' END AS guess) g
    WHERE n.project_id = %(project)s AND n.withdrawn_at IS NULL {{only}}
    GROUP BY n.annotator_id
"""
# Apart from the counts, whose wide rows would be sorted with it: three times as slow.
_MEDIANS = """
    SELECT n.annotator_id, percentile_cont(0.5) WITHIN GROUP (ORDER BY n.active_ms) FROM labeling_annotation n
    WHERE n.project_id = %(project)s AND n.withdrawn_at IS NULL AND n.skip_reason = '' AND n.active_ms > 0 {only}
    GROUP BY n.annotator_id
"""


@dataclass(frozen=True)
class Team:
    people: tuple[Person, ...]
    all: Work


def team_of(project: Project) -> Team:
    """Everybody who has answered or is paused, most answers first, and all of them together."""
    rows, pauses, skips = _rows(project, {}), _pauses(project), _skips(project)
    partners = agreed_of(project).partners
    users = User.objects.in_bulk([*(pk for pk in rows if pk is not None), *pauses])
    people = [
        Person(user, rows.get(pk, NO_WORK), partners.get(pk), pauses.get(pk), skips.get(pk, {}))
        for pk, user in users.items()
    ]
    return Team(tuple(sorted(people, key=lambda p: (-p.work.answers, str(p.user)))), rows.get(None, NO_WORK))


def person_of(project: Project, user: User) -> Person:
    """One person, who may have done nothing yet."""
    only = {"person": user.pk}
    rows, pauses, skips = _rows(project, only), _pauses(project, only), _skips(project, only)
    partner = agreed_of(project).partners.get(user.pk)
    return Person(user, rows.get(user.pk, NO_WORK), partner, pauses.get(user.pk), skips.get(user.pk, {}))


def _rows(project: Project, only: dict[str, int]) -> dict[int | None, Work]:
    """By person; None is everybody together, whose median nobody asks for."""
    condition = "AND n.annotator_id = %(person)s" if only else ""
    with connection.cursor() as cursor:
        cursor.execute(_WORK.format(only=condition), {"project": project.pk, "fast": FAST_MS, **only})
        counted = {row[0]: row[1:] for row in cursor.fetchall()}
        cursor.execute(_MEDIANS.format(only=condition), {"project": project.pk, **only})
        medians = dict(cursor.fetchall())
    found: dict[int | None, Work] = {pk: _work(row, medians.get(pk)) for pk, row in counted.items()}
    if counted:
        *sums, lasts = zip(*counted.values(), strict=True)
        found[None] = _work([*(sum(column) for column in sums), max(lasts)], None)
    return found


def _work(row: Sequence[Any], median_ms: float | None) -> Work:
    answers, skips, timed, active_ms, fast, judged, right, shown, accepted, planted, taken = row[:11]
    told, told_same, hidden, hidden_same, flagged, last_at = row[11:]
    return Work(
        answers=answers,
        skips=skips,
        per_hour=timed / (active_ms / 3_600_000) if active_ms else None,
        median_s=median_ms / 1000 if median_ms is not None else None,
        fast=share_of(fast, timed),
        gold=share_of(right, judged),
        accepted=share_of(accepted, shown),
        planted=share_of(taken, planted),
        anchoring=Anchoring(share_of(told_same, told), share_of(hidden_same, hidden)),
        flagged=flagged,
        last_at=last_at,
    )


NO_WORK = _work([*[0] * 16, None], None)


def _pauses(project: Project, only: dict[str, int] | None = None) -> dict[int, Pause]:
    return {p.person_id: p for p in Pause.objects.filter(project=project, lifted_at=None, **(only or {}))}


def _skips(project: Project, only: dict[str, int] | None = None) -> dict[int, dict[str, int]]:
    rows = Annotation.objects.filter(project=project, withdrawn_at=None).exclude(skip_reason="")
    if only:
        rows = rows.filter(annotator=only["person"])
    found: dict[int, dict[str, int]] = {}
    for who, reason, n in rows.order_by().values_list("annotator", "skip_reason").annotate(n=Count("pk")):
        found.setdefault(who, {})[reason] = n
    return found


def fast_answers(project: Project, user: User) -> list[Annotation]:
    """The newest answers that came faster than anybody reads."""
    own = Annotation.objects.filter(project=project, annotator=user, withdrawn_at=None, skip_reason="")
    fast = own.filter(active_ms__gt=0, active_ms__lt=FAST_MS)
    return list(fast.select_related("label", "example").order_by("-pk")[:FAST_LISTED])


HEAD = (
    "person",
    "answers",
    "answers_an_hour",
    "median_active_s",
    "under_2_s",
    "skips",
    "flagged",
    "agreement",
    "agreement_meetings",
    "gold_right",
    "gold_answers",
    "gold_low",
    "gold_high",
    "suggestions_shown",
    "suggestions_accepted",
    "planted_shown",
    "planted_accepted",
    "agree_with_shown_guess",
    "agree_with_hidden_guess",
    "paused",
    "last_answer_at",
)


def csv_rows(project: Project) -> Iterator[tuple[Any, ...]]:
    """The team as rows of a spreadsheet, its head first."""
    yield HEAD
    for person in team_of(project).people:
        w, met = person.work, person.partner
        yield (
            str(person.user),
            w.answers,
            _round(w.per_hour),
            _round(w.median_s),
            w.fast.times,
            w.skips,
            w.flagged,
            _round(met.share) if met else "",
            met.meetings if met else 0,
            w.gold.times,
            w.gold.of,
            _round(w.gold.low),
            _round(w.gold.high),
            w.accepted.of,
            w.accepted.times,
            w.planted.of,
            w.planted.times,
            _round(w.anchoring.shown.value),
            _round(w.anchoring.hidden.value),
            "yes" if person.pause else "",
            w.last_at.isoformat() if w.last_at else "",
        )


def _round(value: float | None) -> float | str:
    return "" if value is None else round(value, 4)
