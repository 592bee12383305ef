"""What the pages of versions are asked for. Nonsense in an address means no filter, never an error."""

from dataclasses import dataclass

from django import forms
from django.http import QueryDict

from apps.datasets.versions.keeping import KEEP_DAYS, VACUUM_HOURS
from apps.pages.asked import number_asked


@dataclass(frozen=True)
class DiffFilter:
    query: QueryDict

    @property
    def against(self) -> int | None:
        return number_asked(self.query, "against", most=2**31 - 1)

    @property
    def kind(self) -> str:
        return self.query.get("kind", "")


class PolicyForm(forms.Form):
    """An empty field of days keeps every version for ever."""

    keep_days = forms.IntegerField(min_value=KEEP_DAYS[0], max_value=KEEP_DAYS[1], required=False)
    vacuum_hours = forms.IntegerField(min_value=VACUUM_HOURS[0], max_value=VACUUM_HOURS[1])
