"""Which runs the list shows and in what order, as its address says. What is not known is left out: addresses are kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from django.db.models import F, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

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
}
# Keys of the report's figures: the report stands above this app.
BY = {
    "accuracy": "report__metrics__accuracy__value",
    "change": "report__differences__accuracy__value",
    "labels": "labels",
}


@dataclass(frozen=True)
class RunListing:
    """Empty is every kind, state or verdict."""

    kind: str = ""
    state: str = ""
    verdict: str = ""
    sort: str = NEWEST

    @property
    def filters(self) -> bool:
        return bool(self.kind or self.state or self.verdict)

    @property
    def query(self) -> str:
        """For an address that keeps what was chosen; empty where it is the usual list."""
        chosen = {"kind": self.kind, "state": self.state, "verdict": self.verdict}
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
        if self.sort != NEWEST:
            runs = runs.order_by(F(BY[self.sort]).desc(nulls_last=True), "-number")
        return runs


def listing_from(values: Mapping[str, str]) -> RunListing:
    def known(name: str, choices: object) -> str:
        value = values.get(name, "")
        return value if value in choices else ""  # type: ignore[operator]

    return RunListing(
        known("kind", RunKind.values),
        known("state", RunState.values),
        known("verdict", VERDICTS),
        known("sort", SORTS) or NEWEST,
    )
