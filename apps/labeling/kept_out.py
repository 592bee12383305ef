"""Labels that judge what an open alarm is mended by: no model trains on them before it is closed."""

from django.db.models import QuerySet

from apps.datasets.models import Example
from apps.labeling.models import DriftExample, Label


def kept_out(project_id: int) -> list[int]:
    """Examples that judge, and others which show the same: a few hundred, nearly always none.

    They are read first and named, for as a condition on every label they would cost a page a fifth of a second a million labels.
    """
    judging = DriftExample.objects.filter(project=project_id, judges=True, released_at=None)
    digests = judging.exclude(example__content_digest="").values("example__content_digest")
    same = Example.objects.filter(project=project_id, content_digest__in=digests).order_by()
    return list(judging.values_list("pk", flat=True).union(same.values_list("pk", flat=True)))


def trained_on(labels: "QuerySet[Label]", project_id: int) -> "QuerySet[Label]":
    """The others."""
    kept = kept_out(project_id)
    return labels.exclude(pk__in=kept) if kept else labels
