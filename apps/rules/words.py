"""How numbers become words: a true minus sign, a space before %. They know what they were, as sentences do."""

from apps.rules.sentences import Sentence, sentence

MINUS = "\u2212"


def signed(value: float, digits: int = 1) -> Sentence:
    """A number with its sign; what rounds to zero has none.

    >>> signed(0.6), signed(-0.31) == MINUS + "0.3", signed(-0.01)
    ('+0.6', True, '0.0')
    """
    value, rounded = float(value), f"{abs(value):.{digits}f}"
    sign = "" if float(rounded) == 0 else "+" if value > 0 else MINUS
    return Sentence(sign + rounded, {"signed": value, "digits": digits})


def plain_number(value: float, digits: int) -> Sentence:
    """With so many digits, and a true minus sign where it is negative.

    >>> plain_number(0.5, 2), plain_number(-0.25, 1) == MINUS + "0.2"
    ('0.50', True)
    """
    value = float(value)
    return Sentence(f"{value:.{digits}f}".replace("-", MINUS), {"number": value, "digits": digits})


def points(share: float) -> Sentence:
    """A difference of shares in percentage points, without the unit.

    >>> points(0.006)
    '+0.6'
    """
    return signed(100 * share)


def percent(share: float, digits: int = 0) -> Sentence:
    """
    >>> percent(0.41), percent(0.9237, 1)
    ('41 %', '92.4 %')
    """
    share = float(share)
    return Sentence(f"{100 * share:.{digits}f} %", {"percent": share, "digits": digits})


def rate(share: float) -> Sentence:
    """A share that somebody set, with the digits they gave it.

    >>> rate(0.01), rate(0.995)
    ('1 %', '99.5 %')
    """
    return Sentence(f"{100 * share:.4g} %", {"rate": float(share)})


def count(number: int, noun: str) -> Sentence:
    """
    >>> count(1, "label"), count(1200, "label")
    ('1 label', '1,200 labels')
    """
    english = f"{number:,} {noun}" + ("" if number == 1 else "s")
    return Sentence(english, {"count": int(number), "noun": noun})


def time_words(seconds: float) -> Sentence:
    """
    >>> time_words(20), time_words(150), time_words(11_400)
    ('less than a minute', '2 min', '3 h 10 min')
    """
    hours, minutes = divmod(int(seconds // 60), 60)
    if hours:
        return sentence("{whole:,} h {minutes:02d} min", whole=hours, minutes=minutes)
    return sentence("{minutes} min", minutes=minutes) if minutes else sentence("less than a minute")
