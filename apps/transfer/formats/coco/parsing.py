"""A COCO file, ours or of others, into rows. A ZIP is unpacked entry by entry and never trusted in what it says of itself."""

import shutil
import tempfile
import unicodedata
import zipfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import orjson

from apps.datasets.readers import FileUnreadable, Row
from apps.projects.models import Project
from apps.rules.sentences import sentence, words_of
from apps.transfer.formats.items import raw_text
from apps.transfer.sizes import SAID

MOST_JSON = 300_000_000  # bytes; it is read as a whole
MOST_IMAGE = 200_000_000  # bytes unpacked: 50 million pixels in color and more
MOST_ENTRIES = 500_000
MOST_RATIO = 100  # unpacked to packed: a picture packs no better
RATIO_FROM = 100_000_000  # bytes unpacked, from which on that is looked at


def read(file: BinaryIO, project: Project) -> Iterator[Row]:
    begin = file.read(4)
    file.seek(0)
    if not begin.startswith(b"PK"):
        yield from _rows(_parsed(file.read(MOST_JSON + 1)), Images(None, {}))
        return
    with tempfile.TemporaryFile() as local:  # a ZIP is read from its end, which a remote file may not allow
        shutil.copyfileobj(file, local)
        with _opened(local) as archive:
            entries = _entries(archive)
            jsons = [n for n in entries if n.lower().endswith(".json")]
            if len(jsons) != 1:
                raise FileUnreadable(
                    sentence(
                        "The ZIP holds {length} JSON files; COCO has exactly one, beside its images.", length=len(jsons)
                    )
                )
            found = _parsed(_unpacked(archive, entries[jsons[0]], MOST_JSON))
            yield from _rows(found, Images(archive, entries))


def _opened(file: Any) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, EOFError) as cause:
        raise FileUnreadable(sentence("The ZIP is broken: {cause}", cause=cause)) from cause


def _entries(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """By name. Raises FileUnreadable for one that would fill memory or never end."""
    entries = [e for e in archive.infolist() if not e.is_dir() and "__MACOSX" not in e.filename]
    if len(entries) > MOST_ENTRIES:
        raise FileUnreadable(
            sentence(
                "The ZIP holds {length:,} files; at most {most_entries:,} are read.",
                length=len(entries),
                most_entries=MOST_ENTRIES,
            )
        )
    unpacked, packed = sum(e.file_size for e in entries), sum(e.compress_size for e in entries)
    if unpacked > RATIO_FROM and unpacked > MOST_RATIO * max(packed, 1):
        raise FileUnreadable(
            sentence(
                "The ZIP would unpack from {packed:,.1f} MB to {unpacked:,.1f} GB; nothing was read.",
                packed=packed / 1e6,
                unpacked=unpacked / 1e9,
            )
        )
    return {e.filename: e for e in entries}


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, most: int) -> bytes:
    """Reads one byte more than allowed, whatever the entry says of its size."""
    try:
        with archive.open(entry) as file:
            content = file.read(most + 1)
    except Exception as cause:  # of a decoder: zlib, bz2 and lzma have errors of their own
        raise FileUnreadable(
            sentence("“{filename}” in the ZIP cannot be read: {cause}", filename=entry.filename, cause=cause)
        ) from cause
    if len(content) > most:
        raise FileUnreadable(
            sentence("“{filename}” in the ZIP has more than {most:,.0f} MB.", filename=entry.filename, most=most / 1e6)
        )
    return content


def _parsed(content: bytes) -> dict[str, Any]:
    if len(content) > MOST_JSON:
        raise FileUnreadable(
            sentence("The JSON has more than {most:,.0f} MB. Split it into several files.", most=MOST_JSON / 1e6)
        )
    try:
        found = orjson.loads(content.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as cause:
        raise FileUnreadable(sentence("The file is not JSON: {cause}.", cause=cause)) from cause
    if not isinstance(found, dict) or not isinstance(found.get("images"), list):
        raise FileUnreadable(sentence("The JSON is not COCO: it has no list “images”."))
    return found


def _rows(found: Mapping[str, Any], images: "Images") -> Iterator[Row]:
    names, boxes, seen = _categories(found), _by_image(found), set[str]()
    for number, image in enumerate(found["images"], start=1):
        try:
            key = _key(image.get("id")) if isinstance(image, Mapping) else ""
            if not key:
                raise FileUnreadable(sentence("The image has no “id” that is a number or text."))
            if key in seen:
                raise FileUnreadable(sentence("The id {value} stands at two images of the file.", value=key[:40]))
            seen.add(key)
            yield Row(number, _row(image, boxes.pop(key, []), names, images))
        except FileUnreadable as cause:
            yield Row(number, None, words_of(cause), raw_text(image))
        except Exception as cause:  # of one image among thousands, whatever it is
            reason = sentence("The image is not as COCO has it ({fault}).", fault=type(cause).__name__)
            yield Row(number, None, reason, raw_text(image))
    strays = [a for rest in boxes.values() for a in rest]
    for number, stray in enumerate(strays, start=len(found["images"]) + 1):
        yield Row(number, None, sentence("The annotation names an image that the file does not list."), raw_text(stray))


def _listed(found: Mapping[str, Any], name: str) -> list[Any]:
    """Raises FileUnreadable for what is no list."""
    given = found.get(name)
    if given is not None and not isinstance(given, list):
        raise FileUnreadable(sentence("The JSON is not COCO: “{name}” is no list.", name=name))
    return given or []


def _categories(found: Mapping[str, Any]) -> dict[str, str]:
    """Names by id. Raises FileUnreadable where one id means two things."""
    names: dict[str, str] = {}
    for category in _listed(found, "categories"):
        key = _key(category.get("id")) if isinstance(category, Mapping) else ""
        name = category.get("name") if key else None
        if not key or not isinstance(name, str):
            raise FileUnreadable(
                sentence(
                    "The JSON is not COCO: a category needs an id and a name, not {value}.",
                    value=raw_text(category)[:80],
                )
            )
        if names.setdefault(key, name) != name:
            raise FileUnreadable(
                sentence(
                    "The category {value} stands twice, as “{one}” and as “{other}”.",
                    value=key[:40],
                    one=names[key][:80],
                    other=name[:80],
                )
            )
    return names


def _by_image(found: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Those that name no image stand under the empty id."""
    boxes = defaultdict[str, list[Any]](list)
    for annotation in _listed(found, "annotations"):
        key = _key(annotation.get("image_id")) if isinstance(annotation, Mapping) else ""
        boxes[key].append(annotation)
    return dict(boxes)


def _key(given: Any) -> str:
    """An id as text; empty for what is no id. Some tools write 1 in one place and "1" in another."""
    if isinstance(given, float) and given.is_integer():
        given = int(given)
    return str(given) if isinstance(given, int | str) and not isinstance(given, bool) else ""


def _row(image: Mapping[str, Any], boxes: list[Any], names: Mapping[str, str], images: "Images") -> dict[str, Any]:
    asked = (image.get(name) for name in ("external_id", "file_name", "id"))
    row: dict[str, Any] = {"id": next(given for given in asked if given not in (None, ""))}
    row["collected_at"] = image.get("date_captured")
    if name := image.get("file_name"):
        row["file_name"] = str(name)
        row["image"] = images.content(str(name))
    if boxes or image.get("labeled"):
        row["label"] = {"boxes": [_box(b, names) for b in boxes], **_said_size(image)}
    return row


def _said_size(image: Mapping[str, Any]) -> dict[str, Any]:
    said = (image.get("width"), image.get("height"))
    return {} if said == (None, None) else {SAID: list(said)}


def _box(given: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    category = given.get("category_id")
    name = names.get(_key(category))
    if name is None:
        raise FileUnreadable(
            sentence("A box has the category {value}, which the file does not list.", value=str(category)[:40])
        )
    box = given.get("bbox")
    if not isinstance(box, list) or len(box) != 4:
        raise FileUnreadable(sentence("A box lacks its “bbox” of four numbers."))
    beside = given.get("attributes")
    if isinstance(beside, Mapping) and beside.get("rotation"):
        raise FileUnreadable(sentence("A box is rotated; only upright boxes fit."))
    return dict(zip(("x", "y", "width", "height"), box, strict=True)) | {"label": name}


class Images:
    """The pictures of a ZIP by the names that COCO gives them; without a ZIP there are none."""

    def __init__(self, archive: zipfile.ZipFile | None, entries: Mapping[str, zipfile.ZipInfo]) -> None:
        self._archive = archive
        self._by_path = {_path(name): entry for name, entry in entries.items()}
        self._by_name = defaultdict[str, list[str]](list)
        for path in self._by_path:
            self._by_name[path.rsplit("/", 1)[-1]].append(path)

    def content(self, name: str) -> bytes | None:
        """None where it did not come along. Raises FileUnreadable for one that is broken, or that is one of several."""
        if self._archive is None:
            return None
        path = _path(name)
        if path not in self._by_path:
            same = [p for p in self._by_name.get(path.rsplit("/", 1)[-1], ()) if p.endswith(f"/{path}")]
            same = same or self._by_name.get(path.rsplit("/", 1)[-1], [])
            if len(same) > 1:
                raise FileUnreadable(
                    sentence(
                        "“{value}” is in {length} folders of the ZIP; the JSON must say in which.",
                        value=name[:120],
                        length=len(same),
                    )
                )
            if not same:
                return None
            path = same[0]
        return _unpacked(self._archive, self._by_path[path], MOST_IMAGE)


def _path(name: str) -> str:
    """One spelling for what Windows writes with backslashes and macOS with separate accents."""
    steps = unicodedata.normalize("NFC", name).replace("\\", "/").split("/")
    return "/".join(step for step in steps if step not in ("", "."))
