"""Label Studio's JSON: a list of tasks with annotations and predictions, as 1.23 writes it and takes it.

Its regions count characters and percent of the image; ours count code points and pixels. A skip is `was_cancelled`, a
known answer `ground_truth`. What Label Studio has no word for stands in a key `fastloop`, which it ignores. Its
`completed_by` must be a person of the server that reads the file, or the whole request fails: we write `annotator`
instead, and read user names, e-mail addresses and objects; a bare number names nobody here.
"""

from django.utils.translation import gettext_lazy as _

from apps.transfer.formats.format import FileFormat
from apps.transfer.formats.label_studio.parsing import read
from apps.transfer.formats.label_studio.regions import REGIONS
from apps.transfer.formats.label_studio.writing import write

LABEL_STUDIO = FileFormat(
    "label-studio",
    _("Label Studio JSON"),
    (".json",),
    "application/json",
    _("Tasks with annotations and predictions, as Label Studio imports and exports them."),
    ("annotations", "labels", "predictions"),
    read,
    write,
    answers=frozenset(REGIONS),
)
