"""What goes with an example that is deleted on request, with a project, and with time."""

from datetime import datetime, timedelta

from django.db.models import Q

from apps.datasets import services as datasets
from apps.integrations.ports import Unavailable
from apps.projects.models import Project
from apps.projects.selectors import projects_in_use
from apps.rules.registry import UnknownName
from apps.sources.consuming import stream_of
from apps.sources.events.ingesting import INGESTION
from apps.sources.kinds.redis_stream import keys_remove
from apps.sources.models import Source, SourceLetter, SourceMinute, SourcePartition
from apps.work.alone import alone

LETTERS_KEPT = timedelta(days=30)
FIGURES_KEPT = timedelta(days=14)
STREAM_KEPT = timedelta(days=7)  # of what is taken, in a stream of the console's own, so that it can be read again


def letters_forget(project: Project, external_id: str) -> None:
    """Dead letters that quote the example."""
    SourceLetter.objects.filter(source__project=project, external_id=external_id).delete()


def streams_forget(project_id: int) -> int:
    """The project's streams in the console's own Redis; how many there were. Raises Unavailable."""
    return keys_remove(project_id)


def sources_tidy(*, at: datetime) -> None:
    """Hours of a stream that nothing came in any more are closed; old letters and figures go, and what was taken long ago."""
    quiet = SourcePartition.objects.filter(ingestion__received_at__lt=at - INGESTION).filter(
        Q(leased_until=None) | Q(leased_until__lt=at)
    )
    for partition in quiet.select_related("ingestion__by"):
        ingestion = partition.ingestion
        if ingestion is not None and SourcePartition.objects.filter(
            pk=partition.pk, ingestion=ingestion, owner=partition.owner
        ).update(ingestion=None):
            datasets.ingestion_close(ingestion=ingestion, at=at)
    SourceLetter.objects.filter(at__lt=at - LETTERS_KEPT, next_try_at=None).delete()
    SourceMinute.objects.filter(minute__lt=at - FIGURES_KEPT).delete()
    for source in Source.objects.filter(project__in=projects_in_use()):
        with alone("the stream of a source", source):
            _trimmed(source, at)


def _trimmed(source: Source, at: datetime) -> None:
    """Not beyond what every source of the project has taken that reads the same stream."""
    try:
        stream = stream_of(source)
        readers = SourcePartition.objects.filter(source__project=source.project_id, source__kind=source.kind)
        for name in source.partitions.values_list("name", flat=True):
            taken = list(readers.filter(name=name).values_list("position", flat=True))
            slowest = taken[0]
            for position in taken[1:]:
                slowest = position if stream.is_before(position, slowest) else slowest
            if slowest:
                stream.forget(name, slowest, before=at - STREAM_KEPT)
    except (UnknownName, Unavailable):
        pass  # there is another day
