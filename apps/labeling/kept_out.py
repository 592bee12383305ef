"""Labels that judge what an open alarm is mended by: no model trains on them before it is closed."""

from django.db.models import Q, QuerySet

from apps.labeling.models import DriftExample, Label


def kept_out(project_id: int) -> Q:
    """Of labels: those that judge, and those of other examples which show the same."""
    judging = DriftExample.objects.filter(project=project_id, judges=True, released_at=None)
    digests = judging.exclude(example__content_digest="").values("example__content_digest")
    return Q(example__in=judging.values("pk")) | Q(example__content_digest__in=digests, example__project=project_id)


def trained_on(labels: "QuerySet[Label]", project_id: int) -> "QuerySet[Label]":
    """The others. One look whether there are any: most projects have none, most of the time."""
    if not DriftExample.objects.filter(project=project_id, judges=True, released_at=None).exists():
        return labels
    return labels.exclude(kept_out(project_id))
