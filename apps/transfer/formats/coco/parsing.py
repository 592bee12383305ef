"""A COCO file, ours or of others, into rows. A ZIP is unpacked entry by entry and never trusted in what it says of itself."""

import io
import shutil
import tempfile
import zipfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import orjson
from PIL import Image

from apps.datasets.readers import FileUnreadable, Row
from apps.projects.models import Project
from apps.projects.task_types import MAX_IMAGE_SIDE

MOST_JSON = 300_000_000  # bytes; it is read as a whole
MOST_IMAGE = 64_000_000  # bytes unpacked: 4,096 by 4,096 in color
MOST_ENTRIES = 500_000
MOST_RATIO = 100  # unpacked to packed: a picture packs no better
RATIO_FROM = 100_000_000  # bytes unpacked, from which on that is looked at


def read(file: BinaryIO, project: Project) -> Iterator[Row]:
    begin = file.read(4)
    file.seek(0)
    if not begin.startswith(b"PK"):
        yield from _rows(_parsed(file.read(MOST_JSON + 1)), {}, None)
        return
    with tempfile.TemporaryFile() as local:  # a ZIP is read from its end, which a remote file may not allow
        shutil.copyfileobj(file, local)
        with _opened(local) as archive:
            entries = _entries(archive)
            jsons = [n for n in entries if n.lower().endswith(".json")]
            if len(jsons) != 1:
                raise FileUnreadable(f"The ZIP holds {len(jsons)} JSON files; COCO has exactly one, beside its images.")
            yield from _rows(_parsed(_unpacked(archive, entries[jsons[0]], MOST_JSON)), entries, archive)


def _opened(file: Any) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file)
    except (zipfile.BadZipFile, NotImplementedError) as cause:
        raise FileUnreadable(f"The ZIP is broken: {cause}") from cause


def _entries(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """By name. Raises FileUnreadable for one that would fill memory or never end."""
    entries = [e for e in archive.infolist() if not e.is_dir() and "__MACOSX" not in e.filename]
    if len(entries) > MOST_ENTRIES:
        raise FileUnreadable(f"The ZIP holds {len(entries):,} files; at most {MOST_ENTRIES:,} are read.")
    unpacked, packed = sum(e.file_size for e in entries), sum(e.compress_size for e in entries)
    if unpacked > RATIO_FROM and unpacked > MOST_RATIO * max(packed, 1):
        raise FileUnreadable(
            f"The ZIP would unpack from {packed / 1e6:,.1f} MB to {unpacked / 1e9:,.1f} GB; nothing was read."
        )
    return {e.filename: e for e in entries}


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, most: int) -> bytes:
    """Reads one byte more than allowed, whatever the entry says of its size."""
    try:
        with archive.open(entry) as file:
            content = file.read(most + 1)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, OSError, ValueError) as cause:
        raise FileUnreadable(f"“{entry.filename}” in the ZIP cannot be read: {cause}") from cause
    if len(content) > most:
        raise FileUnreadable(f"“{entry.filename}” in the ZIP has more than {most / 1e6:,.0f} MB.")
    return content


def _parsed(content: bytes) -> dict[str, Any]:
    if len(content) > MOST_JSON:
        raise FileUnreadable(f"The JSON has more than {MOST_JSON / 1e6:,.0f} MB. Split it into several files.")
    try:
        found = orjson.loads(content.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as cause:
        raise FileUnreadable(f"The file is not JSON: {cause}.") from cause
    if not isinstance(found, dict) or not isinstance(found.get("images"), list):
        raise FileUnreadable("The JSON is not COCO: it has no list “images”.")
    return found


def _rows(
    found: Mapping[str, Any], entries: Mapping[str, zipfile.ZipInfo], archive: zipfile.ZipFile | None
) -> Iterator[Row]:
    names = {
        c["id"]: str(c.get("name", "")) for c in found.get("categories") or [] if isinstance(c, Mapping) and "id" in c
    }
    boxes, lost = _by_image(found)
    for number, image in enumerate(found["images"], start=1):
        try:
            yield Row(number, _row(image, boxes.pop(image["id"], []), names, entries, archive))
        except (FileUnreadable, KeyError, TypeError, ValueError) as cause:
            reason = str(cause) if isinstance(cause, FileUnreadable) else f"The image is not as COCO has it: {cause!r}."
            yield Row(number, None, reason[:300], orjson.dumps(image, default=str).decode()[:2000])
    strays = [a for rest in boxes.values() for a in rest] + lost
    for number, stray in enumerate(strays, start=len(found["images"]) + 1):
        reason = "The annotation names an image that the file does not list."
        yield Row(number, None, reason, orjson.dumps(stray, default=str).decode()[:2000])


def _by_image(found: Mapping[str, Any]) -> tuple[dict[Any, list[Any]], list[Any]]:
    boxes, lost = defaultdict[Any, list[Any]](list), list[Any]()
    for annotation in found.get("annotations") or []:
        if isinstance(annotation, Mapping) and isinstance(annotation.get("image_id"), int | str):
            boxes[annotation["image_id"]].append(annotation)
        else:
            lost.append(annotation)
    return dict(boxes), lost


def _row(
    image: Mapping[str, Any],
    boxes: list[Any],
    names: Mapping[Any, str],
    entries: Mapping[str, zipfile.ZipInfo],
    archive: zipfile.ZipFile | None,
) -> dict[str, Any]:
    row: dict[str, Any] = {"id": image.get("external_id") or image.get("file_name") or image["id"]}
    row["collected_at"] = image.get("date_captured")
    entry = _entry_of(str(image.get("file_name", "")), entries)
    if archive and entry:
        row["image"] = _as_png(_unpacked(archive, entry, MOST_IMAGE))
    if boxes or image.get("labeled"):
        row["label"] = {"boxes": [_box(b, names) for b in boxes]}
    return row


def _entry_of(name: str, entries: Mapping[str, zipfile.ZipInfo]) -> zipfile.ZipInfo | None:
    """By its path, else by the only file of that name, as images mostly lie in a folder that COCO does not say."""
    if name in entries:
        return entries[name]
    same = [e for path, e in entries.items() if path.rsplit("/", 1)[-1] == name] if len(entries) < 2000 else []
    return same[0] if len(same) == 1 else entries.get(f"images/{name}")


def _box(given: Mapping[str, Any], names: Mapping[Any, str]) -> dict[str, Any]:
    category = given.get("category_id")
    if category not in names:
        raise FileUnreadable(f"A box has the category {category}, which the file does not list.")
    box = given.get("bbox")
    if not isinstance(box, list) or len(box) != 4:
        raise FileUnreadable("A box lacks its “bbox” of four numbers.")
    return dict(zip(("x", "y", "width", "height"), box, strict=True)) | {"label": names[category]}


def _as_png(content: bytes) -> bytes:
    """What cannot be turned is handed on as it is, and refused with its reason where images are checked."""
    if content.startswith(b"\x89PNG"):
        return content
    try:
        with Image.open(io.BytesIO(content)) as image:
            if max(image.size) > MAX_IMAGE_SIDE:
                return content
            out = io.BytesIO()
            image.convert("RGB").save(out, "PNG")
            return out.getvalue()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return content
