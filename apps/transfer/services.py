"""Take something out: chosen in words, written down in the audit trail, streamed."""

from datetime import datetime

from django.db import transaction
from django.http import StreamingHttpResponse
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.audit.services import event_record
from apps.audit.verbs import Verb
from apps.errors import Invalid
from apps.pages.streams import streamed
from apps.projects.models import Project
from apps.rules.sentences import sentence
from apps.transfer.exporting import GRAINS, Export
from apps.transfer.formats import FileFormat, formats_for


def export_chosen(project: Project, *, name: str, grain: str, content: bool) -> tuple[FileFormat, Export]:
    """Raises Invalid in words for what the project or the format does not have."""
    offered = {each.name: each for each in formats_for(project)}
    if name not in offered:
        sentence = _("“{name}” is not a format for this project. There are {known}.")
        raise Invalid(sentence.format(name=name[:40], known=", ".join(offered)), field="as")
    if grain not in GRAINS:
        sentence = _("“{grain}” cannot be exported. There are {known}.")
        raise Invalid(sentence.format(grain=grain[:40], known=", ".join(GRAINS)), field="what")
    if grain not in offered[name].grains:
        sentence = _("{title} carries {known} only. Take JSONL, CSV or Parquet for {grain}.")
        known = ", ".join(offered[name].grains)
        raise Invalid(sentence.format(title=offered[name].title, known=known, grain=grain), field="as")
    return offered[name], Export(project, grain, content)


@transaction.atomic
def export_begin(
    *, project: Project, name: str, grain: str, content: bool, by: User, at: datetime
) -> StreamingHttpResponse:
    """The file, row by row as it is read: it never stands whole in memory. Who takes it is written down before.

    Raises Invalid in words, and TooMany where the person takes several already.
    """
    found, export = export_chosen(project, name=name, grain=grain, content=content)
    event_record(
        project_id=project.pk,
        verb=Verb.DATA_EXPORTED,
        subject=f"project {project.pk}",
        by=by,
        at=at,
        sentence=sentence("{by} exported the {grain} as {title}.", by=by, grain=grain, title=found.title),
        after={"format": name, "grain": grain},
    )
    filename = f"{project.slug}-{grain}-{at:%Y-%m-%d}{found.suffix(export)}"
    response = streamed(found.write(export), by=by, content_type=found.media_type, filename=filename)
    response["X-Accel-Buffering"] = "no"  # a proxy in front passes it on as it comes
    return response
