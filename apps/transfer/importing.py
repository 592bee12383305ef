"""What stands beside the examples of a file, checked and stored: labels, known answers, people's answers, guesses.

An answer by a member of the project becomes that person's answer in the lane “bulk”, whatever lane it came from: it was
not drawn here, so it counts neither for the lift nor for the gates. What it says of its past stays in the assignment's
reason and comes out again with an export. Answers by people who are no members become the label, if they agree.

Whoever may not label, review or edit sends none of these: who trains models must not write what judges them.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from apps.datasets.batches import KeptBeside, StoredRow
from apps.datasets.models import Ingestion
from apps.projects import task_types
from apps.projects.access import permissions_of
from apps.projects.models import Project
from apps.projects.roles import Permission
from apps.projects.selectors import schema_of
from apps.projects.task_types import PayloadRefused
from apps.rules.answers import Value
from apps.rules.sentences import sentence
from apps.rules.settling import settle
from apps.transfer import storing
from apps.transfer.mapping import naming_of
from apps.transfer.rows import Answered, RowAnswers, RowReader, said_in, split
from apps.transfer.storing import ImportedAnswer

SAY = frozenset({Permission.EDIT_PROJECT, Permission.REVIEW, Permission.LABEL})
MAY_NOT_SAY = sentence(
    "A label, a known answer or a person’s answer in a row needs a role that labels, reviews or edits the project. Yours "
    "adds examples: send the row without it, or have a manager send it."
)
NOT_IN_OTHERS_NAMES = sentence("Answers in the name of somebody else are taken from a manager or an admin only.")


class Companions:
    """The `Beside` of apps.datasets for one ingestion. Without a sender it is the console's own, which may everything."""

    def __init__(self, project: Project, ingestion: Ingestion | None = None) -> None:
        self.project, self.ingestion_id = project, ingestion.pk if ingestion else None
        task = task_types.get(project.task_type)
        self.naming = naming_of(project)
        self.counts: Counter[str] = Counter()  # of what was said beside, for the audit trail
        self._kind = task.answer
        self._labels = {x.name: x.pk for x in schema_of(project).labels}
        self._people = _people(project)
        self._by = ingestion.by_id if ingestion else None
        by = ingestion.by if ingestion else None
        self._may = frozenset(Permission) if by is None else permissions_of(by, project.pk)

    def named(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return self.naming.row(values)

    def read(self, values: Mapping[str, Any]) -> tuple[Mapping[str, Any], Any]:
        shown, beside = split(values)
        return shown, beside or None

    def check(self, said: Any, fields: Mapping[str, Any], at: datetime) -> RowAnswers | None:
        """Raises PayloadRefused. None where columns stand in the row but say nothing that is kept, as `label.source`."""
        found = said_in(said, RowReader(self._kind, tuple(self._labels), fields, at))
        self._permitted(found)
        own: list[Answered] = []
        others: list[Value] = []
        for answer in found.answers:
            if answer.by.casefold() in self._people:
                own.append(answer)
            elif answer.value is not None:
                others.append(answer.value)
        twice = {a.by.casefold() for a in own if not a.surplus}
        if len(twice) < sum(not a.surplus for a in own):
            raise PayloadRefused(sentence("The row holds two answers of one person."))
        label = found.label or (self._agreed(others) if others else None)
        said_now = RowAnswers(label, found.gold, found.gold_explanation, tuple(own), found.guesses)
        return said_now if said_now != RowAnswers() else None

    def _permitted(self, found: RowAnswers) -> None:
        if (found.label or found.gold or found.answers) and not self._may & SAY:
            raise PayloadRefused(MAY_NOT_SAY)
        if Permission.EDIT_PROJECT not in self._may and any(self._is_somebody_else(a.by) for a in found.answers):
            raise PayloadRefused(NOT_IN_OTHERS_NAMES)

    def _is_somebody_else(self, name: str) -> bool:
        return bool(name) and self._people.get(name.casefold()) != self._by

    def _agreed(self, values: Sequence[Value]) -> Value:
        """What people who are no members say together. Raises PayloadRefused where they contradict each other."""
        found = settle(values, kind=self._kind, needed=len(values), review_at_most=self.project.queue.review_at_most)
        if found.value is None:
            raise PayloadRefused(
                sentence(
                    "{length} answers by people who are no members of the project disagree, so there is no label to take.",
                    length=len(values),
                )
            )
        return found.value

    def keep(self, kept: Sequence[StoredRow], *, at: datetime) -> KeptBeside:
        """Within the batch's transaction."""
        rows = [k for k in kept if k.beside is not None]
        refused = storing.contradicted(rows, self._columns)
        rows = [k for k in rows if k.row_number not in refused]
        columns = self._columns
        gold = [(k, k.beside.gold) for k in rows if k.beside.gold]
        labels = [(k, k.beside.label) for k in rows if k.beside.label]
        guesses = [(k, g) for k in rows for g in k.beside.guesses]
        answers = self._answers(rows)
        new_gold = storing.gold_keep(self.project, gold, columns, at=at)
        new_labels = storing.labels_keep(self.project, labels, columns, at=at)
        new = storing.predictions_keep(self.project, guesses, columns, at=at) | new_gold | new_labels
        new_answers = storing.answers_keep(self.project, answers, columns, at=at)
        self.counts.update(gold=len(new_gold), labels=len(new_labels), answers=len(new_answers))
        self.counts["answers_of_others"] += sum(
            a.of.row_number in new_answers and a.person_id != self._by for a in answers
        )
        return KeptBeside(new | new_answers, refused)

    def _columns(self, value: Value | None) -> tuple[int | None, Value | None]:
        """(label_id, value) as the tables keep it."""
        if value is None:
            return None, None
        return (self._labels[value["label"]], None) if set(value) == {"label"} else (None, value)

    def _answers(self, rows: Sequence[StoredRow]) -> list[ImportedAnswer]:
        return [
            ImportedAnswer(k, self._people[a.by.casefold()], a, self.ingestion_id)
            for k in rows
            for a in k.beside.answers
        ]


def _people(project: Project) -> dict[str, int]:
    """Members by user name and by e-mail, in lower case."""
    found: dict[str, int] = defaultdict(int)
    for user_id, username, email in project.memberships.values_list("user_id", "user__username", "user__email"):
        if email:
            found[email.casefold()] = user_id
        found[username.casefold()] = user_id
    return dict(found)
