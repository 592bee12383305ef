"""Forms of the registry: an alias, and the rules that a manager sets."""

from typing import Any

from django import forms
from django.utils.translation import gettext, gettext_lazy

from apps.releases.models import Approval, ReleaseRules
from apps.releases.registry.rules import MOST_RULES
from apps.rules.aliases import MOST_ALIAS


class AliasForm(forms.Form):
    name = forms.CharField(
        max_length=4 * MOST_ALIAS,  # the rule says what is too long
        label=gettext_lazy("Alias"),
        widget=forms.TextInput(attrs={"class": "input", "autocomplete": "off", "spellcheck": "false", "size": 20}),
    )
    version = forms.IntegerField(min_value=1, label=gettext_lazy("Version"))


class AnswerForm(forms.Form):
    """What whoever decides says."""

    reason = forms.CharField(required=False, max_length=400)


class ReleaseRulesForm(forms.Form):
    approval = forms.ChoiceField(
        choices=Approval.choices,
        label=gettext_lazy("Whom a release needs beside who asks for it"),
        help_text=gettext_lazy("A roll-back waits for nobody."),
    )
    alias_roles = forms.CharField(
        required=False,
        max_length=MOST_RULES * 120,
        label=gettext_lazy("Who may set an alias"),
        help_text=gettext_lazy("One a line, as “staging: manager, engineer”. Others are set by engineers and admins."),
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
    )

    def clean_alias_roles(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for line in filter(str.strip, self.cleaned_data["alias_roles"].splitlines()):
            name, colon, roles = line.partition(":")
            if not colon or name.strip() in found:
                raise forms.ValidationError(
                    gettext("“{line}” does not say an alias and its roles, once.").format(line=line.strip()[:60])
                )
            found[name.strip()] = [role for role in (each.strip().lower() for each in roles.split(",")) if role]
        return found


def rules_form(rules: ReleaseRules) -> ReleaseRulesForm:
    lines = "\n".join(f"{name}: {', '.join(roles)}" for name, roles in rules.alias_roles.items())
    initial: dict[str, Any] = {"approval": rules.approval, "alias_roles": lines}
    return ReleaseRulesForm(initial=initial)
