"""How the quality pages say coefficients, rates and seconds."""

from django import template

from apps.pages import numbers

register = template.Library()


@register.filter
def coefficient(value: float | None) -> str:
    """0.74, with a true minus sign; what is undefined is a word.

    >>> coefficient(0.7434), coefficient(None)
    ('0.74', 'none')
    """
    if value is None:
        return "none"
    return numbers.decimal(round(value, 2) + 0.0, 2).replace("-", "\N{MINUS SIGN}")


@register.filter
def whole(value: float | None) -> str:
    """A rate to whole numbers; nothing where it is unknown.

    >>> whole(1234.6), whole(None)
    ('1,235', '')
    """
    return "" if value is None else numbers.localized(f"{value:,.0f}")


@register.filter
def seconds(milliseconds: int) -> str:
    """
    >>> seconds(840)
    '0.84 s'
    """
    return f"{numbers.decimal(milliseconds / 1000, 2)} s"
