"""The form of one webhook."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.audit.verbs import IN_PROJECTS
from apps.integrations.outbound import MOST_ADDRESS
from apps.rules.webhooks import WEBHOOK_FORMATS
from apps.webhooks.groups import GROUPS, groups_within, verbs_chosen
from apps.webhooks.models import Webhook
from apps.webhooks.services import MOST_NAME


class WebhookForm(forms.Form):
    name = forms.CharField(max_length=MOST_NAME, label=_("Name"))
    url = forms.CharField(
        max_length=MOST_ADDRESS,
        label=_("Address"),
        widget=forms.URLInput(attrs={"inputmode": "url", "spellcheck": "false", "autocomplete": "off"}),
    )
    format = forms.ChoiceField(
        label=_("Format"), choices=lambda: [(each.name, each.title) for each in WEBHOOK_FORMATS.values()]
    )
    groups = forms.MultipleChoiceField(
        required=False,
        choices=[(group.name, group.title) for group in GROUPS],
        widget=forms.CheckboxSelectMultiple,
        label=_("What it is told"),
    )
    verbs = forms.MultipleChoiceField(
        required=False,
        choices=[(str(verb), str(verb)) for verb in sorted(IN_PROJECTS)],
        widget=forms.CheckboxSelectMultiple,
        label=_("Single events"),
    )

    @staticmethod
    def of(webhook: Webhook) -> dict[str, Any]:
        """What the fields begin with."""
        groups = groups_within(webhook.verbs)
        rest = sorted(set(webhook.verbs) - verbs_chosen(groups, []))
        same = {name: getattr(webhook, name) for name in ("name", "url", "format")}
        return {**same, "groups": groups, "verbs": rest}

    def given(self) -> dict[str, Any]:
        """As the services take it."""
        said = self.cleaned_data
        return {
            **{name: said[name] for name in ("name", "url", "format")},
            "verbs": verbs_chosen(said["groups"], said["verbs"]),
        }
