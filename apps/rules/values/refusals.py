"""What a value that cannot be taken raises, whatever brought it: a page, the API, a file or a request to a model."""


class ValueRefused(ValueError):
    """The message is one sentence for whoever sent the value; it names what to change."""


def shown(value: object, most: int = 40) -> str:
    """A value as a sentence may quote it: short, without what cannot be printed or encoded."""
    text = str(value[: most + 1]) if isinstance(value, str | bytes) else _spelled(value)
    clean = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text[:most])
    return f"{clean}…" if len(text) > most else clean


def _spelled(value: object) -> str:
    try:
        return str(value)
    except ValueError:  # a number of more digits than Python writes
        return "a number of thousands of digits"
