"""Write what stands beside the examples of a file, by the thousand. Each returns the rows that said something new."""

from apps.transfer.storing.answers import Answer, answers_keep
from apps.transfer.storing.labels import gold_keep, labels_keep
from apps.transfer.storing.predictions import predictions_keep

__all__ = ["Answer", "answers_keep", "gold_keep", "labels_keep", "predictions_keep"]
