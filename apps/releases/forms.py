"""Forms of releases."""

from django import forms


class PromoteForm(forms.Form):
    """The reason may be empty here: whether one is needed depends on the verdict, which the service judges."""

    reason = forms.CharField(required=False, max_length=400)


class RollBackForm(forms.Form):
    expected_champion = forms.IntegerField(min_value=1)
    reason = forms.CharField(required=False, max_length=400)
