"""The formats by name. A new one is a file beside this one and a line here."""

from apps.rules.registry import Registry
from apps.transfer.formats.coco import COCO
from apps.transfer.formats.conll import CONLL
from apps.transfer.formats.csv import CSV
from apps.transfer.formats.format import FileFormat
from apps.transfer.formats.jsonl import JSONL
from apps.transfer.formats.label_studio import LABEL_STUDIO
from apps.transfer.formats.parquet import PARQUET

FORMATS = Registry[FileFormat](
    group="fastloop.formats", noun="format", kind=FileFormat, own=(JSONL, CSV, PARQUET, LABEL_STUDIO, CONLL, COCO)
)
