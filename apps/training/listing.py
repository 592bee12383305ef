"""Which runs the list shows and in what order, as its address says. What is not known is left out: addresses are kept."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Lower, NullIf
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from apps.pages.asked import text_asked
from apps.projects.models import Project
from apps.rules.values import looks, tidy
from apps.training.models import Run, RunKind, RunState

NEWEST = "newest"
VERDICTS: dict[str, str | Promise] = {
    "pass": gettext_lazy("Pass"),
    "fail": gettext_lazy("Fail"),
    "inconclusive": gettext_lazy("Inconclusive"),
    "none": gettext_lazy("Not judged"),
}
SORTS: dict[str, str | Promise] = {
    NEWEST: gettext_lazy("Newest first"),
    "accuracy": gettext_lazy("Accuracy, best first"),
    "change": gettext_lazy("Change against the champion"),
    "labels": gettext_lazy("Labels, most first"),
    "name": gettext_lazy("Name, A to Z"),
}
# Keys of the report's figures: the report stands above this app.
BY = {
    "accuracy": "report__metrics__accuracy__value",
    "change": "report__differences__accuracy__value",
    "labels": "labels",
}


@dataclass(frozen=True)
class RunListing:
    """Empty is every kind, state, verdict, tag and name."""

    kind: str = ""
    state: str = ""
    verdict: str = ""
    sort: str = NEWEST
    tag: str = ""
    words: str = ""

    @property
    def filters(self) -> bool:
        return bool(self.kind or self.state or self.verdict or self.tag or self.words)

    @property
    def query(self) -> str:
        """For an address that keeps what was chosen; empty where it is the usual list."""
        chosen = {"kind": self.kind, "state": self.state, "verdict": self.verdict, "tag": self.tag, "q": self.words}
        chosen["sort"] = "" if self.sort == NEWEST else self.sort
        return urlencode({name: value for name, value in chosen.items() if value})

    def of(self, runs: QuerySet[Run]) -> QuerySet[Run]:
        if self.kind:
            runs = runs.filter(kind=self.kind)
        if self.state:
            runs = runs.filter(state=self.state)
        if self.verdict:
            judged = {"report": None} if self.verdict == "none" else {"report__outcome": self.verdict}
            runs = runs.filter(**judged)
        if self.tag:
            runs = runs.filter(tags__contains=[self.tag])
        for word in self.words.split():
            runs = runs.filter(Q(name__icontains=word) | Q(note__icontains=word))
        if self.sort == "name":
            return runs.order_by(NullIf(Lower("name"), Value("")).asc(nulls_last=True), "-number")
        if self.sort != NEWEST:
            runs = runs.order_by(F(BY[self.sort]).desc(nulls_last=True), "-number")
        return runs


def listing_from(values: QueryDict) -> RunListing:
    def known(name: str, choices: object) -> str:
        value = values.get(name, "")
        return value if value in choices else ""  # type: ignore[operator]

    return RunListing(
        known("kind", RunKind.values),
        known("state", RunState.values),
        known("verdict", VERDICTS),
        known("sort", SORTS) or NEWEST,
        tidy(text_asked(values, "tag")),
        text_asked(values, "q"),
    )


def tags_in(project: Project) -> list[str]:
    """Every tag that a run of the project has, by name."""
    kept = Run.objects.filter(project=project).exclude(tags=[]).values_list("tags", flat=True)
    return sorted({tag for tags in kept for tag in tags}, key=lambda tag: (looks(tag), tag))
