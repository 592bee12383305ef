"""How an attempt at some work ends: done, canceled, lost to another worker, refused in words, or on a fault of ours."""

import logging
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from apps.work.leases import LeaseLost

logger = logging.getLogger(__name__)
Result = TypeVar("Result")


class End(StrEnum):
    DONE = "done"
    CANCELED = "canceled"
    LOST = "lost"  # write nothing more
    REFUSED = "refused"  # bad data: a sentence and no traceback
    FAULT = "fault"  # a bug: the sentence, and the traceback for engineers


@dataclass(frozen=True)
class Ending(Generic[Result]):
    end: End
    result: Result | None = None
    sentence: str = ""
    traceback: str = ""


def attempt(
    work: Callable[[], Result],
    *,
    what: str,
    refusals: tuple[type[Exception], ...],
    canceled: tuple[type[Exception], ...] = (),
) -> Ending[Result]:
    """Do the work and say how it ended; only what stops the process itself gets out. `what` begins a fault's sentence.

    >>> attempt(lambda: 1 / 0, what="The sum", refusals=(ZeroDivisionError,)).sentence
    'division by zero'
    """
    try:
        return Ending(End.DONE, work())
    except canceled:
        return Ending(End.CANCELED)
    except LeaseLost as lost:
        logger.warning("%s", lost.message)
        return Ending(End.LOST, sentence=lost.message)
    except refusals as refused:
        return Ending(End.REFUSED, sentence=str(refused))
    except Exception as bug:
        logger.exception("%s stopped.", what)
        return Ending(End.FAULT, sentence=f"{what} stopped on a fault of ours: {bug}", traceback=traceback.format_exc())
