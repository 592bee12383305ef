"""How far the files of predictors' logs are written into the tables."""

from django.db import models


class SpoolPosition(models.Model):
    """One segment of one predictor's spool. Written with the rows, so that each is there once, whoever is killed when."""

    segment = models.UUIDField(primary_key=True)
    end = models.BigIntegerField()  # bytes of the file up to here are in the tables
    moved_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.segment} up to {self.end}"
