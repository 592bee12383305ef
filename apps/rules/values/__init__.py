"""What may come in, one rule a kind, for every door: moments, ids, names, column headers and cells. Pure functions."""

from apps.rules.values.cells import cell_of, nested_of, text_of_bytes
from apps.rules.values.characters import in_one_line, whole
from apps.rules.values.headers import Header, header_of
from apps.rules.values.ids import MOST_ID, NO_ID, id_of
from apps.rules.values.moments import moment_of
from apps.rules.values.names import MOST_NAME, key_of, looks, name_of, same_name, spelled, tidy
from apps.rules.values.notes import MOST_NOTE, MOST_TAG, MOST_TAGS, note_of, tags_of
from apps.rules.values.refusals import ValueRefused, shown

__all__ = [
    "MOST_ID",
    "MOST_NAME",
    "MOST_NOTE",
    "MOST_TAG",
    "MOST_TAGS",
    "NO_ID",
    "Header",
    "ValueRefused",
    "cell_of",
    "header_of",
    "id_of",
    "in_one_line",
    "key_of",
    "looks",
    "moment_of",
    "name_of",
    "nested_of",
    "note_of",
    "same_name",
    "shown",
    "spelled",
    "tags_of",
    "text_of_bytes",
    "tidy",
    "whole",
]
