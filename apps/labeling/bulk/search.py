"""Find examples: by words, by id, by label, lane or person, or by likeness.

The words are looked up in the index on `to_tsvector('simple', fields->>'text')`, which knows words of any language that
writes blanks between them; the last word counts as a beginning. Whoever may not see the data finds only what still waits
for an answer, outside the holdout, and what they have answered themselves.
"""

import re
from dataclasses import dataclass, replace

import numpy as np
from django.db import connection, transaction

from apps.accounts.models import User
from apps.labeling.bulk.neighbors import neighbors_of, not_to_ask
from apps.projects.models import Project

FOUND_AT_ONCE = 50
MOST_PAGES = 40  # whoever has not found it in 2,000 rows asks for more words
_WORD = re.compile(r"\w+")
NO_LABEL = "-"


@dataclass(frozen=True)
class SearchQuery:
    """What somebody looks for; empty means any. `label` may be NO_LABEL."""

    words: str = ""
    label: str = ""
    lane: str = ""
    by: str = ""
    like: int | None = None
    page: int = 1

    @property
    def anything(self) -> bool:
        return bool(self.words or self.label or self.lane or self.by or self.like)

    @property
    def earlier(self) -> int:
        return self.page - 1

    @property
    def later(self) -> int:
        return self.page + 1


@dataclass(frozen=True)
class Hits:
    """Ids of one page; `more` where a next page has some. `unknown` where likeness was asked of an example without a vector."""

    ids: tuple[int, ...]
    more: bool = False
    similarities: tuple[float, ...] = ()
    unknown: bool = False


def hits_of(project: Project, asked: SearchQuery, *, by: User, sees_all: bool) -> Hits:
    if not sees_all:
        asked = replace(asked, label="", lane="", by="")
    if asked.like is not None:
        return _like(project, asked.like, by, sees_all)
    if not asked.anything:
        return Hits(())
    return _found(project, asked, by, sees_all)


def _like(project: Project, example_id: int, by: User, sees_all: bool) -> Hits:
    without = np.empty(0, np.int64) if sees_all else not_to_ask(project, by)
    found = neighbors_of(project, example_id, count=FOUND_AT_ONCE, without=without, holdout=sees_all)
    return Hits(found.ids, similarities=found.similarities, unknown=not found.known)


_OWN = """EXISTS (SELECT 1 FROM labeling_annotation o WHERE o.example_id = e.id AND o.annotator_id = %(person)s
          AND o.withdrawn_at IS NULL)"""
_WAITS = f"""({_OWN} OR (NOT e.holdout
    AND NOT EXISTS (SELECT 1 FROM labeling_label l WHERE l.example_id = e.id)
    AND NOT EXISTS (SELECT 1 FROM labeling_setaside s WHERE s.example_id = e.id)
    AND NOT EXISTS (SELECT 1 FROM labeling_golditem g WHERE g.example_id = e.id)))"""
_SAID = """EXISTS (SELECT 1 FROM labeling_annotation a JOIN labeling_assignment s ON s.id = a.assignment_id
    JOIN accounts_user u ON u.id = a.annotator_id
    WHERE a.example_id = e.id AND a.withdrawn_at IS NULL {more})"""


def _found(project: Project, asked: SearchQuery, by: User, sees_all: bool) -> Hits:
    where, bound = ["e.project_id = %(project)s"], {"project": project.pk, "person": by.pk, "limit": FOUND_AT_ONCE + 1}
    if asked.words:
        where.append(f"e.id IN ({_WORDS})")
        bound |= {"words": tsquery(asked.words), "id": asked.words}  # type: ignore[dict-item]
    if not sees_all:
        where.append(_WAITS)
    if asked.label == NO_LABEL:
        where.append("NOT EXISTS (SELECT 1 FROM labeling_label l WHERE l.example_id = e.id)")
    elif asked.label:
        where.append(
            "EXISTS (SELECT 1 FROM labeling_label l LEFT JOIN projects_schemalabel n ON n.id = l.label_id WHERE l.example_id"
            " = e.id AND (n.name = %(label)s OR l.value->'labels' ? %(label)s))"
        )
        bound["label"] = asked.label  # type: ignore[assignment]
    if asked.lane or asked.by:
        more = (" AND s.lane = %(lane)s" if asked.lane else "") + (" AND u.username = %(by)s" if asked.by else "")
        where.append(_SAID.format(more=more))
        bound |= {"lane": asked.lane, "by": asked.by}  # type: ignore[dict-item]
    bound["offset"] = FOUND_AT_ONCE * (min(asked.page, MOST_PAGES) - 1)
    sql = f"SELECT e.id FROM datasets_example e WHERE {' AND '.join(where)} ORDER BY e.id DESC LIMIT %(limit)s OFFSET %(offset)s"
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SET LOCAL work_mem = '64MB'"
        )  # else the bitmap of a common word is lossy: each row is parsed again
        cursor.execute(sql, bound)
        ids = [int(row[0]) for row in cursor.fetchall()]
    return Hits(tuple(ids[:FOUND_AT_ONCE]), more=len(ids) > FOUND_AT_ONCE and asked.page < MOST_PAGES)


# Newest first among at most so many: a word that half of all texts hold is found as quickly as one that few do.
_MOST_WITH_WORD = 5_000
_WORDS = f"""
    (SELECT x.id FROM datasets_example x WHERE x.project_id = %(project)s AND x.external_id = %(id)s)
    UNION ALL
    (SELECT x.id FROM datasets_example x WHERE x.project_id = %(project)s
       AND to_tsvector('simple', coalesce(x.fields->>'text', '')) @@ to_tsquery('simple', %(words)s)
     LIMIT {_MOST_WITH_WORD})"""


def tsquery(words: str) -> str:
    """All the words, the last one as a beginning; signs are no words.

    >>> tsquery("late delivery, pl")
    'late & delivery & pl:*'
    """
    found = _WORD.findall(words)
    return " & ".join([*found[:-1], f"{found[-1]}:*"]) if found else ""
