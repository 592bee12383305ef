"""Where the vectors lie: files that are only ever appended."""

from django.db import models

from apps.projects.models import Project


class EmbeddingShard(models.Model):
    """Manifest of one append-only Arrow file of float16 vectors beside an id column."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="shards")
    encoder = models.CharField(max_length=80)  # the name of its row: vectors of two encoders never mix
    number = models.PositiveIntegerField()
    url = models.CharField(max_length=400)
    rows = models.PositiveIntegerField()
    dim = models.PositiveIntegerField(default=0)
    unusable = models.PositiveIntegerField(default=0)  # rows without a direction: not finite, zero or constant
    size_bytes = models.BigIntegerField(default=0)  # a file of another size is truncated; the digest costs a read of it
    sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["project", "encoder", "number"], name="features_shard_once")]

    def __str__(self) -> str:
        return f"{self.project} shard {self.number}"
