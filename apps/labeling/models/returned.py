"""Labels that came back as feedback, each with the answer that it was said of."""

from django.db import models

from apps.datasets.models import Example
from apps.projects.models import Project


class ReturnedLabel(models.Model):
    """Which logged request an example was made of. Keys rise in the order in which labels came, so they are a cursor;
    a correction is a new row."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="returned_labels")
    example = models.OneToOneField(Example, on_delete=models.CASCADE, related_name="returned_label")
    inference_id = models.CharField(max_length=100)
    item = models.PositiveSmallIntegerField(default=0)
    model_number = models.PositiveIntegerField()
    predicted = models.CharField(max_length=80)
    answered_at = models.DateTimeField()
    said_at = models.DateTimeField()
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["project", "id"], name="labeling_returned_cursor")]

    def __str__(self) -> str:
        return f"{self.example}, asked as {self.inference_id}"
