"""Examples whose answer is known: asked of everybody once, judged at once, and a pause after too many wrong ones."""

import random
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from apps.accounts.models import User
from apps.audit.services import event_record
from apps.audit.verbs import Verb
from apps.labeling.models import Annotation, Assignment, GoldItem, Lane, Pause
from apps.labeling.values import value_of
from apps.live.publish import look_again
from apps.live.topics import News, Topic
from apps.projects import task_types
from apps.projects.models import Project
from apps.projects.selectors import schema_of
from apps.rules.answers import Value
from apps.rules.sentences import parts_of, sentence

RIGHT_FROM = 0.999  # similarity from which an answer of many parts counts as the known one


@dataclass(frozen=True)
class Draw:
    """A gold example for one person, and the wrong suggestion that is planted on it, if any."""

    example_id: int
    slot: int
    planted: str
    confidence: float | None  # shown with it; a constant would give it away


# In an order of each person's own, so that fifty people at once do not meet on one example.
_DRAW = """
    SELECT g.example_id, (SELECT coalesce(max(a.slot), -1) + 1 FROM labeling_assignment a WHERE a.example_id = g.example_id)
    FROM labeling_golditem g
    WHERE g.project_id = %(project)s AND NOT EXISTS (
        SELECT 1 FROM labeling_assignment a WHERE a.example_id = g.example_id AND a.holder_id = %(holder)s
          AND (a.state IN ('answered', 'skipped') OR (a.state = 'leased' AND a.leased_until >= %(at)s)))
    ORDER BY hashint8extended(g.example_id, %(holder)s) LIMIT %(count)s
"""


def gold_draw(*, project: Project, by: User, count: int, at: datetime, chance: random.Random) -> list[Draw]:
    """Up to `count` gold examples that this person has neither answered nor holds."""
    with connection.cursor() as cursor:
        cursor.execute(_DRAW, {"project": project.pk, "holder": by.pk, "at": at, "count": count})
        found = cursor.fetchall()
    return [_draw(project, example_id, slot, chance) for example_id, slot in found]


def _draw(project: Project, example_id: int, slot: int, chance: random.Random) -> Draw:
    planted = _planted(project, example_id, chance)
    return Draw(example_id, slot, planted, round(chance.uniform(0.6, 0.97), 3) if planted else None)


def _planted(project: Project, example_id: int, chance: random.Random) -> str:
    """A wrong label on a share of gold examples of one label: whoever accepts it has not looked."""
    if task_types.get(project.task_type).structured or chance.random() >= project.queue.planted_share:
        return ""
    known = GoldItem.objects.filter(pk=example_id).values_list("label__name", flat=True).first()
    wrong = [x.name for x in schema_of(project).offered if x.name != known]
    return chance.choice(wrong) if wrong else ""


@dataclass(frozen=True)
class GoldVerdict:
    """Whether an answer is the known one, and what is."""

    right: bool
    expected: Value
    words: str
    explanation: str


def gold_judge(*, assignment: Assignment, value: Value | None) -> GoldVerdict | None:
    """None where the example is not gold any more, or was skipped: not knowing is not wrong."""
    if assignment.lane != Lane.GOLD or value is None:
        return None
    item = GoldItem.objects.select_related("label").filter(pk=assignment.example_id).first()
    expected = value_of(item) if item else None
    if item is None or expected is None:
        return None
    kind = task_types.get(assignment.project.task_type).answer
    return GoldVerdict(kind.similarity(value, expected) >= RIGHT_FROM, expected, kind.words(expected), item.explanation)


def pause_if_failing(*, project: Project, person: User, at: datetime) -> Pause | None:
    """Pause a person whose newest gold answers since the last pause were all wrong."""
    most = project.queue.gold_failures
    if most == 0:
        return None
    own = Annotation.objects.filter(project=project, annotator=person, withdrawn_at=None, right__isnull=False)
    last = Pause.objects.filter(project=project, person=person).order_by("-at").first()
    if last and last.lifted_at is None:
        return last
    since = own.filter(answered_at__gt=last.lifted_at) if last and last.lifted_at else own
    newest = list(since.order_by("-id").values_list("right", flat=True)[:most])
    if len(newest) < most or any(newest):
        return None
    words = (
        sentence("The last gold answer was wrong.")
        if most == 1
        else sentence("The last {n} gold answers were wrong.", n=most)
    )
    pause = Pause.objects.create(project=project, person=person, reason=words, parts=parts_of(words), at=at)
    event_record(
        project_id=project.pk,
        verb=Verb.ANNOTATOR_PAUSED,
        subject=f"user {person.pk}",
        by=None,
        at=at,
        sentence=sentence("{person} was paused: {words}", person=person.signed, words=words),
    )
    look_again(Topic.PROJECT.of(project.pk), News.QUALITY)
    return pause
