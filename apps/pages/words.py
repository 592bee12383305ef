"""Numbers with their nouns, in the reader's language. `apps.rules.words` says the same in the record's language, English."""

from django.utils.translation import ngettext

from apps.pages.numbers import grouped


def counted(number: int, noun: str) -> str:
    """`1 label`, `1,200 labels`. Raises KeyError for a noun that has no plural here."""
    said = {
        "alarm": ngettext("{n} alarm", "{n} alarms", number),
        "answer": ngettext("{n} answer", "{n} answers", number),
        "error": ngettext("{n} error", "{n} errors", number),
        "example": ngettext("{n} example", "{n} examples", number),
        "file": ngettext("{n} file", "{n} files", number),
        "gate": ngettext("{n} gate", "{n} gates", number),
        "label": ngettext("{n} label", "{n} labels", number),
        "lap": ngettext("{n} lap", "{n} laps", number),
        "person": ngettext("{n} person", "{n} people", number),
        "point": ngettext("{n} point", "{n} points", number),
        "review": ngettext("{n} review", "{n} reviews", number),
        "row": ngettext("{n} row", "{n} rows", number),
        "run": ngettext("{n} run", "{n} runs", number),
        "time": ngettext("{n} time", "{n} times", number),
        "version": ngettext("{n} version", "{n} versions", number),
    }
    return said[noun].format(n=grouped(number))
