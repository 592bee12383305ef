"""What the gold page takes: one example with its known answer, or many as lines."""

import json
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.projects import task_types
from apps.projects.models import Project
from apps.projects.selectors import schema_of
from apps.quality.services import MOST_EXPLANATION

MOST_LINES = 500
Line = tuple[int, str, dict[str, Any]]


class GoldForm(forms.Form):
    """One example of the search; without a label the one that it has becomes the known answer."""

    example = forms.IntegerField(min_value=1, widget=forms.HiddenInput)
    label = forms.CharField(required=False, max_length=80, strip=False)
    explanation = forms.CharField(required=False, max_length=MOST_EXPLANATION)


class PasteForm(forms.Form):
    """One example a line: its id, a comma or tab, and the label; where answers have several parts, their JSON."""

    lines = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"}), label=gettext_lazy("Ids and known answers")
    )

    def __init__(self, *given: Any, project: Project, **more: Any) -> None:
        super().__init__(*given, **more)
        self._structured = task_types.get(project.task_type).structured
        self._names = {x.name for x in schema_of(project).offered}

    def clean_lines(self) -> list[Line]:
        lines = [(n, text.strip()) for n, text in enumerate(self.cleaned_data["lines"].splitlines(), 1) if text.strip()]
        if len(lines) > MOST_LINES:
            raise forms.ValidationError(_("At most {n} lines at once.").format(n=MOST_LINES))
        found, wrong = [], []
        for number, text in lines:
            try:
                found.append((number, *self._line(text)))
            except ValueError as refused:
                wrong.append(_("Line {n}: {why}").format(n=number, why=refused))
        if wrong:
            raise forms.ValidationError(wrong[:10])
        return found

    def _line(self, text: str) -> tuple[str, dict[str, Any]]:
        """An id may hold commas, so the label is what stands after the last one that leaves a known label."""
        if self._structured:
            external_id, brace, rest = text.partition("{")
            value = _json("{" + rest) if brace else None
            if not isinstance(value, dict):
                raise ValueError(_("after the id there must be the answer as JSON."))
            return external_id.strip().rstrip(",").strip(), value
        for separator in ("\t", ",", ";"):
            external_id, found, label = text.rpartition(separator)
            if found and label.strip() in self._names:
                return external_id.strip(), {"label": label.strip()}
        raise ValueError(_("after the id and a comma there must be a label of this project."))


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
