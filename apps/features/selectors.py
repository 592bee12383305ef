"""Read encoders."""

from django.db.models import QuerySet
from django.utils.translation import gettext

from apps.features.models import Encoder, EncoderState, WeightsIn
from apps.projects import task_types
from apps.rules.encoders import ENCODERS, READS_LIKE, reading


def encoder_named(name: str) -> Encoder | None:
    return Encoder.objects.filter(name=name).first()


def encoders_listed() -> QuerySet[Encoder]:
    """Those that a person may look after: what runs have made comes and goes with the runs."""
    return Encoder.objects.exclude(weights_in=WeightsIn.RUN).select_related("added_by")


def encoders_for(task_type: str) -> dict[str, str]:
    """Name to title of those that a project of this type may choose, the default first."""
    payload = task_types.get(task_type).kind
    own = {each.name: gettext(each.title) for each in reading(payload)}
    brought = Encoder.objects.filter(
        payload=READS_LIKE.get(payload, payload), weights_in=WeightsIn.FOLDER, state=EncoderState.READY
    )
    return own | dict(brought.values_list("name", "title"))


def default_for(task_type: str) -> str:
    return reading(task_types.get(task_type).kind)[0].name


def may_choose(name: str, task_type: str) -> bool:
    """Without a query for what is installed, as most are."""
    if name in ENCODERS:
        return task_types.get(task_type).kind in ENCODERS[name].payloads
    return bool(name) and name in encoders_for(task_type)


def made_by_runs(*names: str) -> bool:
    """Whether a run has made one of them."""
    return Encoder.objects.filter(name__in=names, run_id__isnull=False).exists()


def encoder_given(encoder_id: int) -> Encoder:
    """For a worker, which was sent the id."""
    return Encoder.objects.get(pk=encoder_id)
