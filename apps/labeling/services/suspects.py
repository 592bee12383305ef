"""What became of a doubted label once somebody has looked again."""

from datetime import datetime

from apps.labeling.models import FrontierItem, Label, Lane, Suspect, SuspectState
from apps.live.publish import look_again
from apps.live.topics import News, Topic


def suspect_settle(*, example_id: int, label: Label | None, looked_again: bool, at: datetime) -> None:
    """Close the open doubt: the label stands or was corrected once a second look settled it, else it is overtaken.

    While a review of the disagreement is open there is no label, and the doubt stays open with it.
    """
    suspect = Suspect.objects.filter(example_id=example_id, state=SuspectState.OPEN).first()
    if suspect is None or label is None:
        return
    stands = label.label_id == suspect.given_id
    if looked_again:
        suspect.state = SuspectState.STANDS if stands else SuspectState.CORRECTED
    elif not stands:
        suspect.state = SuspectState.MOOT
    else:
        return
    suspect.settled_at = at
    suspect.save(update_fields=["state", "settled_at"])
    FrontierItem.objects.filter(example_id=example_id, lane=Lane.RELABEL, leased_until=None).delete()
    look_again(Topic.PROJECT.of(suspect.project_id), News.QUALITY)
