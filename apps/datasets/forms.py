"""What the lists of examples and dead letters are asked for. Nonsense in an address means no filter, never an error."""

from dataclasses import dataclass

from django.http import QueryDict

BIGGEST_ID = 2**63 - 1


@dataclass(frozen=True)
class ExamplesFilter:
    query: QueryDict

    @property
    def text(self) -> str:
        return self.query.get("text", "").replace("\x00", "").strip()[:200]

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
        given = self.query.get("ingestion", "")
        return int(given) if given.isascii() and given.isdigit() and int(given) <= BIGGEST_ID else None
