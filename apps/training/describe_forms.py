"""The form of what people write beside a run."""

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.rules.values import MOST_NAME, MOST_NOTE, MOST_TAG, MOST_TAGS
from apps.training.models import Run
from apps.training.services.describing import RunDescription


class DescribeForm(forms.Form):
    """Tags stand between commas. Lengths are the service's to judge: it counts what is kept."""

    name = forms.CharField(required=False, max_length=2 * MOST_NAME, strip=False)
    tags = forms.CharField(
        required=False, max_length=4 * MOST_TAG * MOST_TAGS, strip=False, help_text=_("With commas between them.")
    )
    note = forms.CharField(
        required=False, max_length=4 * MOST_NOTE, strip=False, widget=forms.Textarea(attrs={"rows": 4})
    )

    @classmethod
    def of(cls, run: Run) -> "DescribeForm":
        return cls(initial={"name": run.name, "tags": ", ".join(run.tags), "note": run.note})

    def change(self) -> RunDescription:
        given = self.cleaned_data
        tags = tuple(tag for tag in given["tags"].split(",") if tag.strip())
        return RunDescription(given["name"], given["note"], tags)
