"""What an address asks for, read the same way by every list and filter: nonsense means no filter, never an error."""

from django.http import QueryDict

BIGGEST_ID = 2**63 - 1  # of a row of the database


def text_asked(query: QueryDict, name: str, *, most: int = 200) -> str:
    """Words to look for, as PostgreSQL can be asked for them: without NUL and half characters."""
    given = query.get(name, "").replace("\x00", "")
    return given.encode("utf-8", "ignore").decode().strip()[:most]


def number_asked(query: QueryDict, name: str, *, most: int = BIGGEST_ID) -> int | None:
    """A whole number in ASCII digits; "²" is a digit and no number, and 5,000 digits are no number of a row."""
    given = query.get(name, "").strip()
    if not given.isascii() or not given.isdigit() or len(given) > 19:
        return None
    return int(given) if int(given) <= most else None
