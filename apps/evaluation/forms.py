"""Forms of the learning page: may the model label by itself, and what does an hour of labeling cost."""

from django import forms

from apps.training.services.policies import MOST_INCREMENTS


class AutoLabelingForm(forms.Form):
    enabled = forms.BooleanField(required=False)
    target_percent = forms.FloatField(min_value=80, max_value=99.99, initial=99)
    audit_percent = forms.FloatField(min_value=1, max_value=100, initial=5)


class RateForm(forms.Form):
    hourly_rate = forms.DecimalField(min_value=0, max_digits=8, decimal_places=2, required=False)
    currency = forms.RegexField(
        r"^[A-Za-z]{3}$", initial="EUR", error_messages={"invalid": "Three letters, as EUR or USD."}
    )


class FallBackForm(forms.Form):
    """When an incremental run is made full; an empty number is off."""

    full_on_gap = forms.BooleanField(required=False)
    full_on_schema_change = forms.BooleanField(required=False)
    full_after_increments = forms.IntegerField(min_value=1, max_value=MOST_INCREMENTS, required=False)
