"""COCO: images, categories and boxes in pixels. With the images it is a ZIP, without them the bare JSON.

An image says by “labeled” that its boxes are all there are; without that word an image that has no box is not labeled.
Images of a ZIP are unpacked one at a time and never written to a disk. Boxes count pixels of the size that the JSON says.
"""

from django.utils.translation import gettext_lazy as _

from apps.transfer.formats.coco.parsing import read
from apps.transfer.formats.coco.writing import write
from apps.transfer.formats.format import FileFormat

COCO = FileFormat(
    "coco",
    _("COCO"),
    (".json", ".zip"),
    "application/json",
    _("Boxes in pixels with their images in a ZIP, or the bare JSON without them; the resolved labels."),
    ("labels",),
    read,
    write,
    answers=frozenset({"boxes"}),
    shows=frozenset({"image"}),
    begins=b"{",
)
