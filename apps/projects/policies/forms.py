"""The whole policy as text, and the version that an edit began from."""

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy

from apps.rules.policies import MOST_TEXT


class PolicyYamlForm(forms.Form):
    policy = forms.CharField(
        max_length=MOST_TEXT,
        label=gettext_lazy("The whole policy"),
        widget=forms.Textarea(attrs={"rows": 20, "spellcheck": "false"}),
    )


def begun_from(post: QueryDict) -> int | None:
    """The number of the version that the form showed; None where it does not say."""
    said = post.get("over", "")
    return int(said) if said.isascii() and said.isdigit() and len(said) < 10 else None
