"""Labels that judge what an open alarm is mended by: no model trains on them before it is closed."""

from django.db.models import Q, QuerySet

from apps.datasets.models import Example
from apps.labeling.models import DriftExample, Label


def kept_out(project_id: int) -> Q:
    """Of labels: those that judge, and those of other examples which show the same. Subqueries that are empty nearly always."""
    judging = DriftExample.objects.filter(project=project_id, judges=True, released_at=None)
    digests = judging.exclude(example__content_digest="").values("example__content_digest")
    same = Example.objects.filter(project=project_id, content_digest__in=digests)
    return Q(example__in=judging.values("pk")) | Q(example__in=same.values("pk"))


def trained_on(labels: "QuerySet[Label]", project_id: int) -> "QuerySet[Label]":
    """The others."""
    return labels.exclude(kept_out(project_id))
