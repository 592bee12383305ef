"""The table of examples: what it is asked for in an address, the query that finds it, and the columns that it shows.

Nonsense in an address means no filter, never an error. Labels and answers stand in apps above this one; the query names
their relations only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, Q, QuerySet
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.datasets.listing_ranges import ON_PAGES, RangesAsked
from apps.datasets.models import Example
from apps.datasets.selectors import examples_of
from apps.pages.asked import text_asked
from apps.projects import task_types
from apps.projects.models import Project, SchemaLabel
from apps.projects.selectors import schema_of

NO_LABEL = "-"
COLUMNS: dict[str, str | Promise] = {
    "label": _("Label"),
    "source": _("Source"),
    "confidence": _("Confidence"),
    "answers": _("Answers"),
    "lane": _("Lane"),
    "side": _("Part"),
    "resolved": _("Labeled"),
    "collected": _("Collected"),
    "came": _("Came in"),
}
SHOWN = ("label", "side", "came")  # until somebody chooses others
SORTS: dict[str, tuple[str | Promise, tuple[str, ...]]] = {
    "": (_("Newest first"), ("-id",)),
    "oldest": (_("Oldest first"), ("id",)),
    "labeled": (_("Labeled last, first"), ("-label__resolved_at", "-pk")),
    "unsure": (_("Least confidence first"), ("label__confidence", "-pk")),
    "collected": (_("Collected last, first"), ("-collected_at", "-pk")),
}
STATES = {
    "labeled": _("Labeled"),
    "unlabeled": _("Not labeled"),
    "disagreed": _("Answers differ"),
    "flagged": _("Flagged"),
}
KEPT = (
    "text",
    "side",
    "label",
    "by",
    "lane",
    "alarm",
    "state",
    *ON_PAGES,
    "sort",
    "col",
)  # what a saved view keeps of an address


@dataclass(frozen=True)
class ListingAsked:
    """One address of the table, read."""

    query: QueryDict

    def _word(self, name: str, known: object) -> str:
        given = text_asked(self.query, name)
        return given if given in known else ""  # type: ignore[operator]

    @property
    def text(self) -> str:
        return text_asked(self.query, "text")

    @property
    def label(self) -> str:
        return text_asked(self.query, "label")

    @property
    def by(self) -> str:
        return text_asked(self.query, "by")

    @property
    def lane(self) -> str:
        return text_asked(self.query, "lane")

    @property
    def alarm(self) -> int | None:
        """The number of the alarm that asks about them."""
        given = text_asked(self.query, "alarm")
        return int(given) if given.isascii() and given.isdigit() and len(given) < 16 else None

    @property
    def side(self) -> str:
        return self._word("side", ("holdout", "training"))

    @property
    def state(self) -> str:
        return self._word("state", STATES)

    @property
    def sort(self) -> str:
        return self._word("sort", SORTS)

    @property
    def ranges(self) -> RangesAsked:
        return RangesAsked(self.query)

    @property
    def columns(self) -> tuple[str, ...]:
        chosen = set(self.query.getlist("col"))
        return tuple(name for name in COLUMNS if name in chosen) or SHOWN

    @property
    def narrowed(self) -> bool:
        words = (self.text, self.label, self.by, self.lane, self.alarm, self.side, self.state)
        return any(words) or self.ranges.any

    @property
    def address(self) -> str:
        """What another person opens to see the same, without the page."""
        kept = QueryDict(mutable=True)
        for name in KEPT:
            if values := [v for v in self.query.getlist(name) if v]:
                kept.setlist(name, values)
        return kept.urlencode()


def examples_listed(project: Project, asked: ListingAsked) -> QuerySet[Example]:
    """With label and number of answers that stand; the page's rows only, so that a hundred thousand cost what fifty do."""
    held = {"holdout": True, "training": False}.get(asked.side)
    found = examples_of(project, text=asked.text, holdout=held)
    if asked.label == NO_LABEL:
        found = found.filter(label=None)
    elif asked.label:
        found = found.filter(_labeled(project, asked.label))
    if asked.alarm is not None:
        found = found.filter(drift__alert_number=asked.alarm)
    if asked.by or asked.lane:
        found = found.filter(pk__in=_answers(project, asked))
    found = _in_state(project, found.filter(asked.ranges.condition_in(project)), asked.state)
    order = [_ordered(name) for name in SORTS[asked.sort][1]]
    return found.order_by(*order).select_related("label__label")


def _labeled(project: Project, name: str) -> Q:
    """By its identity, so that an address from before a rename still finds it."""
    label = label_called(project, name)
    if label is None:
        return Q(pk=None)
    task = task_types.get(project.task_type)
    if task.structured:  # a list of names, or of parts that each have one
        key = task.answer.key
        return Q(label__value__contains={key: [label.name]}) | Q(label__value__contains={key: [{"label": label.name}]})
    return Q(label__label_id=label.pk)


def label_called(project: Project, name: str) -> SchemaLabel | None:
    """Now, or before it was renamed."""
    schema = schema_of(project)
    (today,) = schema.today([name])
    return schema.by_name(name) or schema.by_name(today)


def lanes() -> list[tuple[str, str]]:
    """Those that an answer may have been given in; the table of answers stands above this app."""
    given = Example._meta.get_field("assignments").related_model._meta.get_field("lane")  # type: ignore[union-attr]
    return [(str(value), str(words)) for value, words in given.flatchoices]  # type: ignore[union-attr]


def _ordered(name: str) -> Any:
    """What has no label comes last; where nothing is empty the order is the index's own, or all rows would be sorted."""
    if not name.lstrip("-").startswith("label__"):
        return name
    field = F(name.lstrip("-"))
    return field.desc(nulls_last=True) if name.startswith("-") else field.asc(nulls_last=True)


def _standing(project: Project) -> QuerySet[Any]:
    """Answers that stand; they are a table of apps.labeling, which stands above this app."""
    answers = Example._meta.get_field("annotations").related_model
    return answers._default_manager.filter(project=project, withdrawn_at=None).order_by()  # type: ignore[union-attr]


def _answers(project: Project, asked: ListingAsked) -> QuerySet[Any]:
    said = _standing(project)
    if asked.by:
        said = said.filter(annotator__username=asked.by)
    said = said.filter(assignment__lane=asked.lane) if asked.lane else said
    return said.values("example")


def _in_state(project: Project, found: QuerySet[Example], state: str) -> QuerySet[Example]:
    said = _standing(project)
    if state == "labeled":
        return found.filter(label__isnull=False)
    if state == "unlabeled":
        return found.filter(label=None)
    if state == "flagged":
        return found.filter(pk__in=said.filter(flagged=True).values("example"))
    if state == "disagreed":
        votes = said.filter(skip_reason="").exclude(assignment__lane="gold").values("example")
        torn = votes.annotate(labels=Count("label", distinct=True), values=Count("value", distinct=True))
        return found.filter(pk__in=torn.filter(Q(labels__gt=1) | Q(values__gt=1)).values("example"))
    return found


def lines_listed(project: Project, examples: Sequence[Example]) -> list[tuple[Example, str]]:
    """Each with its line, its label in words and how many answers stand: two queries for a page, whatever its length."""
    task = task_types.get(project.task_type)
    rows = Example.objects.filter(pk__in=[e.pk for e in examples]).order_by()
    counted = rows.annotate(n=Count("annotations", filter=Q(annotations__withdrawn_at=None)))
    answers = dict(counted.values_list("pk", "n"))
    for example in examples:
        label = getattr(example, "label", None)
        example.words = task.answer.words(label.value) if label and label.value is not None else ""  # type: ignore[attr-defined]
        example.answers = answers.get(example.pk, 0)  # type: ignore[attr-defined]
    return [(example, task.summary(example.fields, example.external_id)) for example in examples]
