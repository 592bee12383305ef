"""What the page of an example is sent."""

import uuid
from typing import Any

from django import forms

from apps.labeling.models import ErrorKind
from apps.labeling.services.annotations import MOST_COMMENT, Answer
from apps.projects.models import Project
from apps.projects.selectors import schema_of
from apps.projects.task_types import TaskType
from apps.rules.answers import Value


class CorrectionForm(forms.Form):
    """The right answer, why the answers differed, and a note. One label or several, as the task type says."""

    client_id = forms.UUIDField(widget=forms.HiddenInput)
    error_kind = forms.ChoiceField(choices=ErrorKind.choices, widget=forms.RadioSelect)
    comment = forms.CharField(required=False, max_length=MOST_COMMENT, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, *args: Any, project: Project, task: TaskType, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["client_id"].initial = uuid.uuid4
        self._key = task.answer.key
        names = [(x.name, x.name) for x in schema_of(project).offered]
        kind = forms.MultipleChoiceField if task.structured else forms.ChoiceField
        widget = forms.CheckboxSelectMultiple if task.structured else forms.RadioSelect
        self.fields["answer"] = kind(choices=names, required=not task.structured, widget=widget)

    @property
    def answer(self) -> Answer:
        """Not of any assignment yet."""
        given = self.cleaned_data
        value: Value = {self._key: given["answer"]}
        return Answer(
            given["client_id"],
            0,
            uuid.UUID(int=0),
            value=value,
            comment=given["comment"],
            error_kind=given["error_kind"],
        )
