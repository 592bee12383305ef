"""CoNLL: a token and its tag a line, a blank line between texts, `-DOCSTART-` in front of each document (BIO, two columns).

The format knows neither blanks nor ids, so two comments in front of each text say them, `# id = ` and `# text = ` in
JSON; files of others do without, and their tokens are joined by single blanks. Blanks at the edge of a span are left
out: no tag stands on them. An I- that continues nothing begins a span, as the CoNLL-2003 scorer reads it.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from django.utils.translation import gettext_lazy as _

from apps.datasets.content import content_digest
from apps.datasets.readers import FileUnreadable, Row
from apps.projects.models import Project
from apps.rules.answers import Value
from apps.rules.sentences import sentence, words_of
from apps.transfer.exporting import Export, documents
from apps.transfer.formats.format import FileFormat

START = "-DOCSTART-"
_WORD = re.compile(r"\w+|[^\w\s]")
_COMMENT = re.compile(r"^# (id|text) = (.*)$")
_TAG = re.compile(r"^(?:O|([BI])-(.+))$", re.DOTALL)
TEXTS_AT_ONCE = 200
BLANKS = " \t\r\n\x0b\x0c"


class _Broken(ValueError):
    """A line that does not fit; the message is the reason."""


# Out


def _write(export: Export) -> Iterator[bytes]:
    parts: list[str] = []
    for document in documents(export):
        if document.label is not None:
            parts.append(
                _text_lines(document.shown.external_id, str(document.shown.fields["text"]), document.label.value)
            )
        if len(parts) == TEXTS_AT_ONCE:
            yield "".join(parts).encode()
            parts = []
    yield "".join(parts).encode()


def _text_lines(external_id: str, text: str, value: Value) -> str:
    head = f"{START}\tO\n\n# id = {json.dumps(external_id)}\n# text = {json.dumps(text, ensure_ascii=True)}\n"
    return head + "".join(f"{token}\t{tag}\n" for token, tag in _tagged(text, value["spans"])) + "\n"


def _tagged(text: str, spans: Sequence[Value]) -> Iterator[tuple[str, str]]:
    """Words and signs; a span that begins inside a word cuts it."""
    place = 0
    for span in spans:
        yield from ((t, "O") for t in _WORD.findall(text[place : span["start"]]))
        for n, token in enumerate(_WORD.findall(text[span["start"] : span["end"]])):
            yield token, f"{'I' if n else 'B'}-{span['label']}"
        place = span["end"]
    yield from ((t, "O") for t in _WORD.findall(text[place:]))


# In


@dataclass
class _Text:
    """The lines of one text, as they come."""

    id: str = ""
    text: str | None = None
    tokens: list[str] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    raw: list[str] = field(default_factory=list)
    fault: str = ""


def _read(file: BinaryIO, project: Project) -> Iterator[Row]:
    for number, each in enumerate(_texts(file), start=1):
        raw = "".join(each.raw)[:2000]
        if each.fault:
            yield Row(number, None, each.fault, raw)
            continue
        try:
            yield Row(number, _row(each), raw=raw)
        except _Broken as cause:
            yield Row(number, None, words_of(cause), raw)


def _texts(file: BinaryIO) -> Iterator[_Text]:
    now, seen = _Text(), False
    for number, content in enumerate(file, start=1):
        seen = True
        try:
            line = content.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
        except UnicodeDecodeError:
            if number == 1:
                raise FileUnreadable(
                    sentence("The file is not UTF-8 text. Save it as UTF-8 and send it again.")
                ) from None
            yield from [now] if now.tokens or now.text is not None else []
            yield _Text(fault=sentence("Line {number:,} is not UTF-8 text; the rest was not read.", number=number))
            return
        if number == 1 and "\x00" in line:
            raise FileUnreadable(sentence("The file is UTF-16. Save it as UTF-8 and send it again."))
        if not line.strip(BLANKS) or line.startswith(START):
            if now.tokens or now.text is not None:
                yield now
            now = _Text()
            continue
        now.raw.append(f"{line}\n")
        if not now.fault:
            _take(now, line, number)
    if now.tokens or now.text is not None or now.fault:
        yield now
    if not seen:
        raise FileUnreadable(sentence("The file is empty."))


def _take(now: _Text, line: str, number: int) -> None:
    comment = _COMMENT.match(line)
    if comment and not now.tokens:
        try:
            said = str(json.loads(comment[2]))
        except (ValueError, RecursionError):
            said = comment[2]
        if comment[1] == "id":
            now.id = said
        else:
            now.text = said
        return
    columns = _columns(line)
    if len(columns) < 2:
        now.tokens.append(line)
        now.lines.append(number)
        now.fault = sentence("Line {number:,} has no tag: a line is a token and its tag.", number=number)
        return
    if not _TAG.match(columns[-1]):
        now.fault = sentence(
            "The tag “{tag}” in line {number:,} is neither O nor B- or I- with a label.",
            tag=columns[-1][:40],
            number=number,
        )
    now.tokens.append(columns[0])
    now.lines.append(number)
    now.tags.append(columns[-1])


def _columns(line: str) -> list[str]:
    """By tabs, or by plain blanks where there is no tab. Every other blank belongs to its token: “10 000” is one."""
    trimmed = line.strip(BLANKS)
    return [cell.strip(BLANKS) for cell in trimmed.split("\t")] if "\t" in trimmed else re.split(" +", trimmed)


def _row(each: _Text) -> dict[str, Any]:
    text = each.text if each.text is not None else " ".join(each.tokens)
    spans = _spans(each, text)
    name = each.id or f"conll-{content_digest({'text': text})[:16]}"
    return {"id": name, "text": text, "label": {"spans": spans}}


def _spans(each: _Text, text: str) -> list[Value]:
    spans: list[Value] = []
    place, open_label = 0, ""
    for token, tag, line in zip(each.tokens, each.tags, each.lines, strict=True):
        start = text.find(token, place)
        if start < 0 or text[place:start].strip():
            raise _Broken(
                sentence("The token “{value}” in line {line:,} is not in the text.", value=token[:40], line=line)
            )
        place = start + len(token)
        begins, label = tag[0], tag[2:]
        if begins == "I" and label == open_label:
            spans[-1]["end"] = place
        elif begins != "O":
            spans.append({"start": start, "end": place, "label": label})
        open_label = label if begins != "O" else ""
    return spans


CONLL = FileFormat(
    "conll",
    _("CoNLL"),
    (".conll", ".bio"),
    "text/plain; charset=utf-8",
    _("Named spans as BIO tags, two columns with -DOCSTART-; the resolved labels."),
    ("labels",),
    _read,
    _write,
    answers=frozenset({"spans"}),
    shows=frozenset({"text"}),
)
