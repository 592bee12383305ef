"""Write what stands beside the examples of a file, by the thousand. Each returns the rows that said something new."""

from apps.transfer.storing.answers import ImportedAnswer, answers_keep
from apps.transfer.storing.contradictions import contradicted
from apps.transfer.storing.labels import gold_keep, labels_keep
from apps.transfer.storing.predictions import predictions_keep

__all__ = ["ImportedAnswer", "answers_keep", "contradicted", "gold_keep", "labels_keep", "predictions_keep"]
