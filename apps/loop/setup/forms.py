"""The form that makes a project and says how many people answer each example."""

from django import forms

from apps.labeling.services.queue_settings import MOST_OVERLAP
from apps.projects.forms import ProjectForm


class NewProjectForm(ProjectForm):
    overlap = forms.IntegerField(min_value=1, max_value=MOST_OVERLAP, initial=1)
