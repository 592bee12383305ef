"""Forms of accounts: signing in, the name others see, tokens."""

from django import forms
from django.contrib.auth.forms import AuthenticationForm

from apps.accounts.models import User


class SignInForm(AuthenticationForm):
    """Django's own form; one sentence for a wrong name and a wrong password, so that names cannot be fished for."""

    error_messages = {
        "invalid_login": "This name and password do not belong together. Mind upper and lower case in the password.",
        "inactive": "This account is switched off. An admin can switch it on again.",
    }


class NameForm(forms.ModelForm):
    class Meta:
        model = User
        fields = ("display_name",)


class TokenForm(forms.Form):
    """Days until the token ends; empty means until it is revoked."""

    days = forms.IntegerField(required=False, min_value=1, max_value=3650)
