"""Hand a model out as an archive, and write down who took it."""

from datetime import datetime

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from apps.accounts.models import User
from apps.audit.services import event_record
from apps.audit.verbs import Verb
from apps.pages.ranges import file_sent
from apps.releases.archives import archive_of
from apps.releases.models import ModelVersion
from apps.rules.sentences import sentence


def model_download(*, request: HttpRequest, version: ModelVersion, by: User, at: datetime) -> HttpResponseBase:
    """Whole or a range of it; the parts after the first are the same download. Raises ModelFileGone, TooMany."""
    archive = archive_of(version)
    response = file_sent(
        request,
        archive.file,
        size=archive.size,
        etag=archive.etag,
        filename=archive.name,
        content_type="application/zip",
        by=by,
    )
    begins = response.headers.get("Content-Range", "bytes 0-").startswith("bytes 0-")
    if response.status_code < 300 and begins:
        event_record(
            project_id=version.project_id,
            verb=Verb.MODEL_DOWNLOADED,
            subject=f"model v{version.number}",
            by=by,
            at=at,
            sentence=sentence("{by} downloaded v{number}.", by=by, number=version.number),
            after={"weights": version.run.weights_digest, "bytes": archive.size},
        )
    return response
