"""What says that a window or its reference is too small to tell by."""

from apps.rules.monitors.evidence import MonitorEvidence
from apps.rules.monitors.monitor import CannotTell
from apps.rules.sentences import sentence
from apps.rules.words import count


def enough(of: MonitorEvidence, least: int) -> None:
    """Raises CannotTell where there are fewer predictions."""
    if len(of.window) < least:
        raise CannotTell(
            sentence(
                "Only {predictions} in the window; {least} are needed to tell.",
                predictions=count(len(of.window), "prediction"),
                least=least,
            )
        )
    if len(of.reference) < least:
        raise CannotTell(
            sentence(
                "Only {predictions} on the holdout; {least} are needed to tell.",
                predictions=count(len(of.reference), "prediction"),
                least=least,
            )
        )


def enough_rows(n_window: int, n_reference: int, least: int) -> None:
    """The same of rows with what was asked. Raises CannotTell."""
    if n_window < least:
        raise CannotTell(
            sentence("Only {rows} in the window; {least} are needed to tell.", rows=count(n_window, "row"), least=least)
        )
    if n_reference < least:
        raise CannotTell(
            sentence(
                "Only {rows} to compare with; {least} are needed to tell.", rows=count(n_reference, "row"), least=least
            )
        )


def enough_margins(n_window: int, n_reference: int, least: int) -> None:
    """The same of answers whose margin is known. Raises CannotTell."""
    if min(n_window, n_reference) < least:
        raise CannotTell(
            sentence(
                "Margins are known of {window} in the window and of {reference} on the holdout; {least} are needed to tell.",
                window=count(n_window, "prediction"),
                reference=count(n_reference, "prediction"),
                least=least,
            )
        )
