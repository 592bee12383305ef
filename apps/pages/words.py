"""Numbers with their nouns, in the reader's language. `apps.rules.words` says the same in the record's language, English."""

from django.utils.translation import ngettext

from apps.pages.numbers import grouped


def counted(number: int, noun: str) -> str:
    """`1 label`, `1,200 labels`. Raises KeyError for a noun that has no plural here."""
    said = {
        "alarm": ngettext("{n} alarm", "{n} alarms", number),
        "answer": ngettext("{n} answer", "{n} answers", number),
        "audited answer": ngettext("{n} audited answer", "{n} audited answers", number),
        "data version": ngettext("{n} data version", "{n} data versions", number),
        "column": ngettext("{n} column", "{n} columns", number),
        "day": ngettext("{n} day", "{n} days", number),
        "error": ngettext("{n} error", "{n} errors", number),
        "example": ngettext("{n} example", "{n} examples", number),
        "file": ngettext("{n} file", "{n} files", number),
        "gate": ngettext("{n} gate", "{n} gates", number),
        "gold example": ngettext("{n} gold example", "{n} gold examples", number),
        "holdout answer": ngettext("{n} holdout answer", "{n} holdout answers", number),
        "holdout example": ngettext("{n} holdout example", "{n} holdout examples", number),
        "holdout label": ngettext("{n} holdout label", "{n} holdout labels", number),
        "group": ngettext("{n} group", "{n} groups", number),
        "hour": ngettext("{n} hour", "{n} hours", number),
        "incremental run": ngettext("{n} incremental run", "{n} incremental runs", number),
        "label": ngettext("{n} label", "{n} labels", number),
        "labeled holdout example": ngettext("{n} labeled holdout example", "{n} labeled holdout examples", number),
        "lap": ngettext("{n} lap", "{n} laps", number),
        "look": ngettext("{n} look", "{n} looks", number),
        "more fault": ngettext("{n} more fault", "{n} more faults", number),
        "more holdout label": ngettext("{n} more holdout label", "{n} more holdout labels", number),
        "more label": ngettext("{n} more label", "{n} more labels", number),
        "more labeled holdout example": ngettext(
            "{n} more labeled holdout example", "{n} more labeled holdout examples", number
        ),
        "more run": ngettext("{n} more run", "{n} more runs", number),
        "new label": ngettext("{n} new label", "{n} new labels", number),
        "pair": ngettext("{n} pair", "{n} pairs", number),
        "person": ngettext("{n} person", "{n} people", number),
        "point": ngettext("{n} point", "{n} points", number),
        "prediction": ngettext("{n} prediction", "{n} predictions", number),
        "review": ngettext("{n} review", "{n} reviews", number),
        "request": ngettext("{n} request", "{n} requests", number),
        "row": ngettext("{n} row", "{n} rows", number),
        "run": ngettext("{n} run", "{n} runs", number),
        "sample": ngettext("{n} sample", "{n} samples", number),
        "seed": ngettext("{n} seed", "{n} seeds", number),
        "shared example": ngettext("{n} shared example", "{n} shared examples", number),
        "slice": ngettext("{n} slice", "{n} slices", number),
        "time": ngettext("{n} time", "{n} times", number),
        "token": ngettext("{n} token", "{n} tokens", number),
        "trial": ngettext("{n} trial", "{n} trials", number),
        "warning": ngettext("{n} warning", "{n} warnings", number),
        "version": ngettext("{n} version", "{n} versions", number),
    }
    return said[noun].format(n=grouped(number))
