"""Forms of accounts: signing in, passwords, names, tokens, invitations, what a person may."""

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.people.models import Scope
from apps.people.tokens import LASTS_DAYS
from apps.projects.models import Project
from apps.projects.roles import Role
from apps.projects.selectors import projects_in_use
from apps.rules.values.zones import zone_names, zone_of

MOST_PASSWORD = 4096


class SignInForm(AuthenticationForm):
    """Django's own form; one sentence for a wrong name and a wrong password, so that names cannot be fished for."""

    error_messages = {
        "invalid_login": "This name and password do not belong together. Mind upper and lower case in the password.",
        "inactive": "This account is switched off. An admin can switch it on again.",
    }


class NameForm(forms.Form):
    display_name = forms.CharField(required=False, max_length=80)


class ZoneForm(forms.Form):
    """A person's zone; empty is that of each browser, which is named where it said it."""

    time_zone = forms.ChoiceField(required=False)

    def __init__(self, *args: Any, of_browser: str, **more: Any) -> None:
        super().__init__(*args, **more)
        as_browser = (
            gettext("As the browser: {zone}").format(zone=of_browser)
            if zone_of(of_browser)
            else gettext("As the browser")
        )
        field = self.fields["time_zone"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", as_browser), *((name, name.replace("_", " ")) for name in zone_names())]


class TokenForm(forms.Form):
    """Days until the token ends; empty means until it is revoked."""

    name = forms.CharField(max_length=80)
    scope = forms.ChoiceField(choices=Scope.choices, initial=Scope.WRITE)
    days = forms.IntegerField(required=False, min_value=1, max_value=3650, initial=LASTS_DAYS)


def _password(autocomplete: str) -> forms.CharField:
    widget = forms.PasswordInput(attrs={"autocomplete": autocomplete})
    return forms.CharField(strip=False, max_length=MOST_PASSWORD, widget=widget)


class NewPasswordForm(forms.Form):
    password = _password("new-password")
    again = _password("new-password")
    end_tokens = forms.BooleanField(required=False)

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if "password" in values and "again" in values and values["password"] != values["again"]:
            self.add_error("again", _("The two passwords are not the same."))
        return values


class PasswordForm(NewPasswordForm):
    old = _password("current-password")
    field_order = ("old", "password", "again", "end_tokens")


class JoinForm(NewPasswordForm):
    """What an invited person fills in."""

    username = forms.CharField(max_length=150, widget=forms.TextInput(attrs={"autocomplete": "username"}))
    display_name = forms.CharField(required=False, max_length=80)
    field_order = ("username", "display_name", "password", "again")


class InvitationForm(forms.Form):
    username = forms.CharField(required=False, max_length=150)
    display_name = forms.CharField(required=False, max_length=80)
    project = forms.ModelChoiceField(Project.objects.none(), required=False, empty_label=_("None yet"))
    role = forms.ChoiceField(required=False, choices=[("", _("None yet")), *Role.choices])
    may_create_projects = forms.BooleanField(required=False)

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        field = self.fields["project"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = projects_in_use().order_by("name")


class RightsForm(forms.Form):
    is_superuser = forms.BooleanField(required=False)
    may_create_projects = forms.BooleanField(required=False)
