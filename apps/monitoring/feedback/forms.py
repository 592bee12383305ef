"""The form that says how feedback is read and what the log keeps."""

from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext

from apps.monitoring.feedback.settings import FeedbackChoices
from apps.monitoring.models import PayloadsKept
from apps.monitoring.models.feedback import MOST_DAYS, MOST_MATURITY_H
from apps.rules.log_sample import LEAST_SHARE

NEWER = ("answer_percent", "label_percents")  # a page that was opened before they came does not post them


class FeedbackSettingsForm(forms.Form):
    maturity_hours = forms.FloatField(min_value=0, max_value=MOST_MATURITY_H)
    zero_names = forms.CharField(max_length=1_300, required=False)
    payloads = forms.ChoiceField(choices=PayloadsKept.choices)
    sample_percent = forms.FloatField(min_value=0, max_value=100)
    payload_days = forms.IntegerField(min_value=1, max_value=MOST_DAYS)
    log_days = forms.IntegerField(min_value=1, max_value=MOST_DAYS, required=False)
    answer_percent = forms.FloatField(min_value=100 * LEAST_SHARE, max_value=100, initial=100)
    label_percents = forms.CharField(max_length=5_000, required=False, widget=forms.Textarea(attrs={"rows": 3}))
    becomes_examples = forms.BooleanField(required=False)

    @classmethod
    def posted(cls, said: QueryDict, before: FeedbackChoices) -> "FeedbackSettingsForm":
        """What was sent; a field that the page did not know stays as it is."""
        filled, begun = said.copy(), cls.of(before)
        for name in NEWER:
            filled.setdefault(name, begun[name])
        return cls(filled)

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
            "answer_percent": f"{100 * choices.answer_share:g}",
            "label_percents": "\n".join(f"{name} = {100 * share:g}" for name, share in choices.label_shares.items()),
            "becomes_examples": choices.becomes_examples,
        }

    def settings(self) -> dict[str, Any]:
        """As the service takes them."""
        said = dict(self.cleaned_data)
        names = [name.strip() for name in said.pop("zero_names").split(",")]
        shares = {
            "sample_share": said.pop("sample_percent") / 100,
            "answer_share": said.pop("answer_percent") / 100,
            "label_shares": said.pop("label_percents"),
        }
        return {**said, **shares, "zero_names": [name for name in names if name]}

    def clean_label_percents(self) -> dict[str, float]:
        """A line a label, as “fraud = 100”."""
        found: dict[str, float] = {}
        for line in filter(str.strip, self.cleaned_data["label_percents"].splitlines()):
            name, mark, percent = line.rpartition("=")
            try:
                found[name.strip()] = float(percent.strip().removesuffix("%").replace(",", ".")) / 100
            except ValueError:
                mark = ""
            if not mark or not name.strip():
                raise forms.ValidationError(
                    gettext("“{line}” is not a label and its percent, as “fraud = 100”.").format(line=line.strip()[:60])
                )
        return found
