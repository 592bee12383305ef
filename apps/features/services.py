"""Make encoders known: those that a run fine-tuned, and those that an admin brings as a folder of weights."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.audit.services import event_record
from apps.audit.verbs import Verb
from apps.errors import DomainError, Forbidden, Invalid
from apps.features.models import Encoder, EncoderState, WeightsIn
from apps.rules.encoders import ENCODERS, MOST_NAME, InstalledEncoder, name_fault
from apps.rules.sentences import sentence
from apps.work.jobs import ask
from apps.work.names import Job

MOST_TITLE = 120


def encoder_made(*, name: str, title: str, dim: int, url: str, run_id: int, at: datetime) -> Encoder:
    """The encoder of a fine-tune run that has completed; twice is once."""
    made, _created = Encoder.objects.get_or_create(
        name=name,
        defaults={
            "title": title[:MOST_TITLE],
            "payload": "text",
            "dim": dim,
            "weights_in": WeightsIn.RUN,
            "url": url,
            "run_id": run_id,
            "state": EncoderState.READY,
            "added_at": at,
        },
    )
    return made


@transaction.atomic
def encoder_add(*, name: str, title: str, url: str, by: User, at: datetime) -> Encoder:
    """A sentence encoder of somebody's own: a folder, or the address of one in a store, as sentence-transformers saves it.

    A worker loads it before any project may choose it. Raises Invalid in words, Forbidden for all but who runs the
    console: the weights are read by its workers.
    """
    if not by.is_superuser:
        raise Forbidden(_("Only an admin of the console brings encoders: its workers load what stands there."))
    name, title, url = name.strip(), title.strip(), url.strip()
    fault = name_fault(name)
    if fault:
        words = _("“{name}” cannot be the name of an encoder: small letters, digits, dots and hyphens, {n} at most.")
        raise Invalid(words.format(name=name[:MOST_NAME], n=MOST_NAME), field="name")
    if not url:
        raise Invalid(_("Say where the weights are: a folder, or an address such as s3://bucket/encoder."), field="url")
    if name in ENCODERS or Encoder.objects.filter(name=name).exists():
        words = _("An encoder “{name}” is there already. Other weights need another name: vectors never mix.")
        raise Invalid(words.format(name=name), field="name")
    added = Encoder.objects.create(
        name=name,
        title=(title or name)[:MOST_TITLE],
        payload="text",
        weights_in=WeightsIn.FOLDER,
        url=url,
        added_by=by,
        added_at=at,
    )
    event_record(
        project_id=None,
        verb=Verb.ENCODER_ADDED,
        subject=f"encoder {name}",
        by=by,
        at=at,
        sentence=sentence("{by} brought the encoder “{name}”.", by=by, name=name),
        after={"url": url},
    )
    transaction.on_commit(lambda: encoder_check_ask(encoder_id=added.pk))
    return added


@transaction.atomic
def encoder_check_again(*, name: str, by: User) -> Encoder:
    """Load it once more, after its folder was mended. Raises Forbidden, Invalid."""
    if not by.is_superuser:
        raise Forbidden(_("Only an admin of the console brings encoders: its workers load what stands there."))
    found = Encoder.objects.select_for_update(no_key=True).filter(name=name, weights_in=WeightsIn.FOLDER).first()
    if found is None:
        raise Invalid(_("There is no encoder “{name}” that somebody has brought.").format(name=name[:MOST_NAME]))
    found.state, found.error = EncoderState.CHECKING, ""
    found.save(update_fields=["state", "error"])
    transaction.on_commit(lambda: encoder_check_ask(encoder_id=found.pk))
    return found


def encoder_check_ask(*, encoder_id: int) -> None:
    ask(Job.ENCODER, encoder_id)


def encoders_sweep(at: datetime) -> None:
    """Checks whose message was lost, and rows of what packages have brought since."""
    missing = set(ENCODERS) - set(Encoder.objects.values_list("name", flat=True))
    Encoder.objects.bulk_create([_row_of(ENCODERS[name], at) for name in sorted(missing)], ignore_conflicts=True)
    given = Encoder.objects.filter(name__in=ENCODERS).exclude(weights_in=WeightsIn.PACKAGE)
    given.update(state=EncoderState.FAILED, error="An installed package has brought an encoder of this name.")
    for encoder_id in Encoder.objects.filter(state=EncoderState.CHECKING).values_list("pk", flat=True):
        encoder_check_ask(encoder_id=encoder_id)


def _row_of(each: InstalledEncoder, at: datetime) -> Encoder:
    return Encoder(
        name=each.name,
        title=each.title[:MOST_TITLE],
        payload=each.payloads[0],
        dim=each.dim,
        weights_in=WeightsIn.PACKAGE,
        state=EncoderState.READY,
        added_at=at,
    )


def encoder_checked(*, encoder_id: int, dim: int, error: str = "") -> None:
    """What a worker found. The dimension stays what it was: other vectors under one name would mix."""
    found = Encoder.objects.get(pk=encoder_id)
    if not error and found.dim not in (0, dim):
        error = f"It makes vectors of {dim} numbers; under this name they had {found.dim}. Bring it under another name."
    state = EncoderState.FAILED if error else EncoderState.READY
    Encoder.objects.filter(pk=encoder_id).update(state=state, error=error[:400], dim=found.dim or (0 if error else dim))


class EncoderUnknown(DomainError):
    """No row has this name."""

    code = "encoder_unknown"
    http_status = 404
