"""What an encoder made of the requests of a window, so that monitors can compare it with what the champion learned from."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy

from apps.projects.models import Project


class VectorsFault(models.TextChoices):
    """Why an encoder gives none."""

    MISSING = "missing", gettext_lazy("Its weights cannot be loaded")
    UNREAD = "unread", gettext_lazy("It can read none of the requests")


class WindowVectors(models.Model):
    """Of one window, as one encoder sees it. The row is written when a monitor first wants it; a worker fills it.

    `vectors` are `n` rows of `dim` float16 numbers, one after the other. `fault` says why there will be none.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+")
    encoder = models.CharField(max_length=80)
    since = models.DateTimeField()
    until = models.DateTimeField()
    wanted_at = models.DateTimeField()
    made_at = models.DateTimeField(null=True)
    n = models.PositiveIntegerField(default=0)
    dim = models.PositiveIntegerField(default=0)
    vectors = models.BinaryField(null=True)
    fault = models.CharField(max_length=8, choices=VectorsFault.choices, blank=True)

    class Meta:
        ordering = ["-until", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["project", "encoder", "since", "until"], name="monitoring_window_vectors_once"
            )
        ]

    def __str__(self) -> str:
        return f"vectors of {self.project} until {self.until.isoformat(timespec='minutes')}"

    @property
    def rows(self) -> Any:
        """(n, dim) as float64, which kernels are computed in."""
        import numpy as np

        return np.frombuffer(bytes(self.vectors or b""), np.float16).reshape(self.n, self.dim).astype(float)
