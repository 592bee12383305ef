"""What the list of dead letters is asked for. Nonsense in an address means no filter, never an error."""

from dataclasses import dataclass

from django.http import QueryDict

from apps.pages.asked import number_asked


@dataclass(frozen=True)
class LettersFilter:
    query: QueryDict

    @property
    def ingestion(self) -> int | None:
        return number_asked(self.query, "ingestion")
