"""Which rows say of an example what contradicts a label that stands: a file replaces none, and never without a word."""

from collections.abc import Sequence

from apps.datasets.batches import StoredRow
from apps.labeling.models import Label, LabelSource
from apps.rules.answers import Value
from apps.rules.sentences import sentence
from apps.transfer.storing.columns import Columns, known_among

PEOPLES = (LabelSource.CONSENSUS, LabelSource.REVIEW)
Standing = tuple[int | None, Value | None]

IN_THE_HOLDOUT = sentence(
    "The example is here; its known answer was not taken, for it lies in the holdout. Models must be judged by what chance "
    "drew, and known answers are picked by hand."
)
BY_PEOPLE = sentence("The example has a label that people gave. A known answer from a file does not replace it.")
ANOTHER = sentence(
    "The example has another label already. A file replaces no label: a manager or reviewer changes it at the desk."
)


def contradicted(rows: Sequence[StoredRow], columns: Columns) -> dict[int, str]:
    """By row number, why what the row says is not taken."""
    known = known_among(rows)
    labels = Label.objects.filter(pk__in=known).values_list("pk", "label_id", "value", "source") if known else []
    standing: dict[int, tuple[Standing, str]] = {pk: ((label, value), source) for pk, label, value, source in labels}
    refused: dict[int, str] = {}
    for k in rows:
        why = _why(k, standing.get(k.example_id), columns)
        if why:
            refused[k.row_number] = why
        elif k.example_id not in standing and (said := k.beside.gold or k.beside.label):
            standing[k.example_id] = columns(said), LabelSource.IMPORTED
    return refused


def _why(k: StoredRow, there: tuple[Standing, str] | None, columns: Columns) -> str:
    gold, label = k.beside.gold, k.beside.label
    if gold and k.holdout:
        return IN_THE_HOLDOUT
    if there is None:
        return ANOTHER if gold and label and gold != label else ""
    stands, source = there
    if gold and source in PEOPLES and columns(gold) != stands:
        return BY_PEOPLE
    return ANOTHER if label and not gold and columns(label) != stands else ""
