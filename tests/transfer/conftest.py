"""Files that go out of one project and into another."""

import io
from collections.abc import Callable

import pytest

from apps.datasets import services as datasets
from apps.datasets.models import Ingestion
from apps.labeling.services.labels import labels_share
from apps.projects.models import Project
from apps.transfer.exporting import Export
from apps.transfer.formats import FORMATS, read_with
from apps.transfer.importing import Companions
from tests.conftest import NOON

Take = Callable[[Project, bytes, str], Ingestion]


def written(project: Project, name: str, grain: str, *, content: bool = True) -> bytes:
    return b"".join(FORMATS[name].write(Export(project, grain, content)))


def taken(project: Project, content: bytes, filename: str) -> Ingestion:
    """As a worker reads an upload."""
    ingestion = datasets.ingestion_open(project=project, source="upload", by=None, at=NOON, filename=filename)
    return datasets.examples_ingest(
        ingestion=ingestion,
        rows=read_with(project, io.BytesIO(content), filename),
        now=lambda: NOON,
        beside=Companions(project, ingestion),
        on_repeated=lambda digests: labels_share(project=project, digests=digests, at=NOON),
    )


@pytest.fixture
def take() -> Take:
    return taken
