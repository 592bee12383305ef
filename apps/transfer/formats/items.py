"""A JSON list item by item: a file of a gigabyte never stands in memory as a whole."""

import codecs
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import orjson

from apps.datasets.readers import FileUnreadable
from apps.rules.sentences import sentence, term

CHUNK = 1 << 20  # bytes
HEAD = 1 << 16  # bytes by which formats that share an ending are told apart
MOST_RAW = 2000  # characters kept of what was refused
MOST_ITEM = 200_000_000  # characters of one item; what is longer is no item but a broken file


def head_of(file: BinaryIO) -> bytes:
    """The beginning of a file without its mark and blanks; the file stands at its start again."""
    head = file.read(HEAD).lstrip(b"\xef\xbb\xbf \t\r\n")
    file.seek(0)
    return head


@dataclass(frozen=True, slots=True)
class JsonItem:
    """`number` counts from 1. Either `value`, or `fault` and the raw text where it begins."""

    number: int
    value: Any = None
    fault: str = ""
    raw: str = ""


def items_of(file: BinaryIO) -> Iterator[JsonItem]:
    """Raises FileUnreadable where no list begins; a list that breaks off ends with an item that says where."""
    source = _Source(file)
    source.skip_blank()
    if not source.text:
        raise FileUnreadable(sentence("The file is empty."))
    if not source.text.startswith("["):
        raise FileUnreadable(sentence("The file is not a JSON list. Label Studio writes a list of tasks."))
    source.drop(1)
    for number in range(1, 2**31):
        source.skip_blank()
        if source.text.startswith("]"):
            return
        if number > 1:
            if not source.text.startswith(","):
                yield source.broken(number, term("a comma or the end of the list is missing"))
                return
            source.drop(1)
            source.skip_blank()
        found = source.item(number)
        yield found
        if found.fault:
            return


def raw_text(value: Any) -> str:
    """What stands in a file, cut, to be kept beside the reason why it was refused; whatever it is."""
    try:
        return orjson.dumps(value, default=str).decode()[:MOST_RAW]
    except (TypeError, ValueError):  # too deep, past 64 bits, or with half a character
        return _shortened(value)


def _shortened(value: Any) -> str:
    try:
        return repr(value)[:MOST_RAW]
    except RecursionError:
        return "nested too deep to be shown"


class _Source:
    def __init__(self, file: BinaryIO) -> None:
        self._file, self._decoder = file, codecs.getincrementaldecoder("utf-8-sig")()
        self._json = json.JSONDecoder()
        self.text, self._before, self._ended, self._wrong = "", 0, False, ""

    def more(self, size: int = CHUNK) -> bool:
        """Read on; False at the end of what can be read."""
        if self._ended:
            return False
        content = self._file.read(size)
        self._ended = not content
        try:
            self.text += self._decoder.decode(content, final=self._ended)
        except UnicodeDecodeError:
            self._ended = True
            self._wrong = term("the file is not UTF-8 there")
            if not self._before and not self.text:
                raise FileUnreadable(
                    sentence("The file is not UTF-8 text. Save it as UTF-8 and send it again.")
                ) from None
        return not self._ended

    def skip_blank(self) -> None:
        while True:
            rest = self.text.lstrip(" \t\r\n")
            self._before += len(self.text) - len(rest)
            self.text = rest
            if self.text or not self.more():
                return

    def drop(self, count: int) -> None:
        self.text, self._before = self.text[count:], self._before + count

    def item(self, number: int) -> JsonItem:
        size = CHUNK
        while True:
            try:
                value, end = self._json.raw_decode(self.text)
                if end < len(self.text) or not self.more():  # a number may go on in the next chunk
                    self.drop(end)
                    return JsonItem(number, value)
            except RecursionError:
                return self.broken(number, term("it is nested too deep"))
            except ValueError as cause:
                if len(self.text) > MOST_ITEM or not self.more(size):
                    return self.broken(number, str(cause).split(":")[0].lower(), getattr(cause, "pos", 0))
            size = min(2 * size, 64 * CHUNK)

    def broken(self, number: int, why: str, place: int = 0) -> JsonItem:
        where = self._before + place
        return JsonItem(
            number,
            None,
            sentence(
                "The JSON breaks off at character {where:,}: {fault}. The rest was not read.",
                where=where,
                fault=self._wrong or why,
            ),
            self.text[:2000],
        )
