"""Images, categories and boxes as COCO has them; with the images a ZIP that is written forwards only."""

import io
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from apps.projects.selectors import schema_of
from apps.rules.pictures import suffix_of
from apps.transfer.exporting import Document, Export, documents


def write(export: Export) -> Iterator[bytes]:
    with tempfile.TemporaryFile() as images, tempfile.TemporaryFile() as boxes:
        sink = _Forward()
        archive = zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) if export.content else None
        categories = {x.name: x.position + 1 for x in schema_of(export.project).labels}
        for number, document in enumerate(documents(export), start=1):
            content = document.shown.image
            name = f"images/{number:08d}{suffix_of(content) if content is not None else '.png'}"
            if archive and content is not None:
                archive.writestr(name, content)
            _note(document, number, name, categories, images, boxes)
            yield sink.taken()
        head = {"info": {"description": export.project.name, "version": "FastLoop 1"}, "licenses": []}
        listed = [{"id": pk, "name": name, "supercategory": ""} for name, pk in categories.items()]
        parts = (
            orjson.dumps(head)[:-1],
            b',"categories":',
            orjson.dumps(listed),
            b',"images":[',
            images,
            b'],"annotations":[',
            boxes,
            b"]}\n",
        )
        if archive is None:
            for part in parts:
                yield from _pieces(part)
            return
        with archive.open("annotations.json", "w", force_zip64=True) as entry:
            for part in parts:
                for piece in _pieces(part):
                    entry.write(piece)
                    yield sink.taken()
        archive.close()
        yield sink.taken()


def _pieces(part: Any) -> Iterator[bytes]:
    if isinstance(part, bytes):
        yield part
        return
    part.seek(0)
    while piece := part.read(1 << 18):
        yield piece


def _note(document: Document, number: int, name: str, categories: Mapping[str, int], images: Any, boxes: Any) -> None:
    """One line each into the two spools; annotation ids count on through the file."""
    shown, label = document.shown, document.label
    image = {
        "id": number,
        "file_name": name,
        "width": shown.fields["width"],
        "height": shown.fields["height"],
        "external_id": shown.external_id,
        "date_captured": shown.collected_at,
        "labeled": True,
    }
    images.write((b",\n" if images.tell() else b"\n") + orjson.dumps(image))
    for n, b in enumerate(label.value["boxes"] if label else (), start=1):
        box = {
            "id": number * 10_000 + n,
            "image_id": number,
            "category_id": categories[b["label"]],
            "bbox": [b["x"], b["y"], b["width"], b["height"]],
            "area": b["width"] * b["height"],
            "iscrowd": 0,
        }
        boxes.write((b",\n" if boxes.tell() else b"\n") + orjson.dumps(box))


class _Forward(io.RawIOBase):
    """Takes bytes and gives them on; a ZIP written into it needs no way back."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, part: Any) -> int:
        self._parts.append(bytes(part))
        return len(part)

    def taken(self) -> bytes:
        parts, self._parts = b"".join(self._parts), []
        return parts
