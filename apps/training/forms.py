"""Forms of training."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from apps.training.models import RunPriority, asked_kinds
from apps.training.services.policies import MOST_AT_ONCE
from apps.training.services.triggers import NEVER

TIME_OF_DAY = r"([01]?\d|2[0-3]):[0-5]\d"  # 24 h in every browser; its own field is written as the system writes


class TriggerForm(forms.Form):
    """A cause that is left empty is off."""

    enabled = forms.BooleanField(required=False)
    new_labels = forms.IntegerField(min_value=1, max_value=1_000_000, required=False)
    minutes = forms.IntegerField(min_value=1, max_value=525_600, required=False)
    disagreement_points = forms.IntegerField(min_value=1, max_value=100, required=False)
    debounce_s = forms.IntegerField(min_value=0, max_value=86_400)
    kind = forms.ChoiceField(choices=asked_kinds())

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        causes = ("new_labels", "minutes", "disagreement_points")
        if found.get("enabled") and not self.errors and all(found.get(name) is None for name in causes):
            raise forms.ValidationError(NEVER)
        return found


# In the order of a calendar's week; the numbers are cron's.
DAYS = (
    (1, gettext_lazy("Mon")),
    (2, gettext_lazy("Tue")),
    (3, gettext_lazy("Wed")),
    (4, gettext_lazy("Thu")),
    (5, gettext_lazy("Fri")),
    (6, gettext_lazy("Sat")),
    (0, gettext_lazy("Sun")),
)


class ScheduleForm(forms.Form):
    """Times of one kind of run. A schedule that is off keeps its days."""

    kind = forms.CharField(widget=forms.HiddenInput)
    enabled = forms.BooleanField(required=False)
    days = forms.TypedMultipleChoiceField(
        choices=DAYS,
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose at least one day of the week, or switch the schedule off.")},
    )
    time = forms.TimeField(widget=forms.TimeInput(attrs={"pattern": TIME_OF_DAY}, format="%H:%M"))
    zone = forms.CharField(max_length=63)

    def clean_days(self) -> tuple[int, ...]:
        return tuple(self.cleaned_data["days"])


class PlacesForm(forms.Form):
    runs_at_once = forms.IntegerField(min_value=1, max_value=MOST_AT_ONCE)


class PriorityForm(forms.Form):
    priority = forms.TypedChoiceField(choices=RunPriority.choices, coerce=int)
