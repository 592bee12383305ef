"""How numbers become words: a true minus sign, a space before %, an interval as a sentence."""

MINUS = "\u2212"


def signed(value: float, digits: int = 1) -> str:
    """A number with its sign; what rounds to zero has none.

    >>> signed(0.6), signed(-0.31) == MINUS + "0.3", signed(-0.01)
    ('+0.6', True, '0.0')
    """
    rounded = f"{abs(value):.{digits}f}"
    if float(rounded) == 0:
        return rounded
    return ("+" if value > 0 else MINUS) + rounded


def points(share: float) -> str:
    """A difference of shares in percentage points, without the unit.

    >>> points(0.006)
    '+0.6'
    """
    return signed(100 * share)


def percent(share: float, digits: int = 0) -> str:
    """
    >>> percent(0.41), percent(0.9237, 1)
    ('41 %', '92.4 %')
    """
    return f"{100 * share:.{digits}f} %"


def count(number: int, noun: str) -> str:
    """
    >>> count(1, "label"), count(1200, "label")
    ('1 label', '1,200 labels')
    """
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
