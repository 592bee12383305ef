"""What the lists of examples and dead letters are asked for. Nonsense in an address means no filter, never an error."""

from dataclasses import dataclass

from django.http import QueryDict

from apps.pages.asked import number_asked, text_asked


@dataclass(frozen=True)
class ExamplesFilter:
    query: QueryDict

    @property
    def text(self) -> str:
        return text_asked(self.query, "text")

    @property
    def side(self) -> str:
        return self.query.get("side", "")

    @property
    def holdout(self) -> bool | None:
        return {"holdout": True, "training": False}.get(self.side)


@dataclass(frozen=True)
class LettersFilter:
    query: QueryDict

    @property
    def ingestion(self) -> int | None:
        return number_asked(self.query, "ingestion")
