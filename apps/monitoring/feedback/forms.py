"""The form that says how feedback is read and what the log keeps."""

from typing import Any

from django import forms

from apps.monitoring.feedback.settings import FeedbackChoices
from apps.monitoring.models import PayloadsKept
from apps.monitoring.models.feedback import MOST_DAYS, MOST_MATURITY_H


class FeedbackSettingsForm(forms.Form):
    maturity_hours = forms.FloatField(min_value=0, max_value=MOST_MATURITY_H)
    zero_names = forms.CharField(max_length=1_300, required=False)
    payloads = forms.ChoiceField(choices=PayloadsKept.choices)
    sample_percent = forms.FloatField(min_value=0, max_value=100)
    payload_days = forms.IntegerField(min_value=1, max_value=MOST_DAYS)
    log_days = forms.IntegerField(min_value=1, max_value=MOST_DAYS, required=False)
    becomes_examples = forms.BooleanField(required=False)

    @staticmethod
    def of(choices: FeedbackChoices) -> dict[str, Any]:
        """What the fields begin with."""
        return {
            "maturity_hours": f"{choices.maturity_hours:g}",
            "zero_names": ", ".join(choices.zero_names),
            "payloads": choices.payloads,
            "sample_percent": f"{100 * choices.sample_share:g}",
            "payload_days": choices.payload_days,
            "log_days": choices.log_days,
            "becomes_examples": choices.becomes_examples,
        }

    def settings(self) -> dict[str, Any]:
        """As the service takes them."""
        said = dict(self.cleaned_data)
        names = [name.strip() for name in said.pop("zero_names").split(",")]
        share = said.pop("sample_percent") / 100
        return {**said, "zero_names": [name for name in names if name], "sample_share": share}
