"""How the quality pages say coefficients, rates and seconds."""

from django import template

register = template.Library()


@register.filter
def coefficient(value: float | None) -> str:
    """0.74, with a true minus sign; what is undefined is a word.

    >>> coefficient(0.7434), coefficient(None)
    ('0.74', 'none')
    """
    if value is None:
        return "none"
    words = f"{value:.2f}"
    return "0.00" if words == "-0.00" else words.replace("-", "\N{MINUS SIGN}")


@register.filter
def whole(value: float | None) -> str:
    """A rate to whole numbers; nothing where it is unknown.

    >>> whole(1234.6), whole(None)
    ('1,235', '')
    """
    return "" if value is None else f"{value:,.0f}"


@register.filter
def seconds(milliseconds: int) -> str:
    """
    >>> seconds(840)
    '0.84 s'
    """
    return f"{milliseconds / 1000:.2f} s"
