"""Pictures as they come: looked at, decoded upright, and refused by what is in them. The one place that opens a picture.

Cameras write a photo as the sensor lay and say in its EXIF block how to turn it; browsers turn it, most libraries do not.
Sizes and boxes here are always those of the picture as a person sees it. The bytes are never changed.
"""

import base64
import binascii
import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import ExifTags, Image

from apps.rules.sentences import sentence, term

MOST_PIXELS = 50_000_000  # a phone's largest photo has 48.8 million; decoded in color that is 150 MB
MOST_SIDE = 16_384  # pixels: what browsers paint
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")  # that browsers show and Pillow decodes; no other decoder is ever run
READ = (*FORMATS, "TIFF")  # no browser shows TIFF, so it is kept as PNG
WORDS = term("PNG, JPEG, WebP, GIF or BMP")
MEDIA = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp", "GIF": "image/gif", "BMP": "image/bmp"}
SUFFIXES = {"PNG": ".png", "JPEG": ".jpg", "WEBP": ".webp", "GIF": ".gif", "BMP": ".bmp"}
GREY = frozenset({"1", "L", "LA", "I", "I;16", "I;16B", "F"})
KNOWN_OTHERS = {
    b"ftypavif": "AVIF",
    b"ftypheic": "HEIC",
    b"ftypheix": "HEIC",
    b"ftypmif1": "HEIC",
    b"<svg": "SVG",
    b"<?xml": "SVG",
    b"%PDF": "PDF",
    b"8BPS": "PSD",
    b"\x00\x00\x01\x00": "an icon",
}
UPRIGHT = 1  # of EXIF's eight orientations; from 5 on width and height change places
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class PictureRefused(ValueError):
    """No picture that is taken; the message is a sentence for whoever sent it."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What a person sees of it, in pixels, and how its bytes are turned to get there."""

    encoded_as: str
    width: int
    height: int
    orientation: int = UPRIGHT


def taken(content: bytes) -> tuple[Picture, bytes]:
    """The image, decoded once to its last pixel, and the bytes to keep. Raises PictureRefused."""
    encoded_as = _format_taken(content)
    header(content)
    _refuse_wrong_sums(content)
    image = decoded(content)
    if image.encoded_as == "TIFF":
        out = io.BytesIO()
        eight_bit(image.pixels).save(out, "PNG")
        return Picture("PNG", *image.pixels.size), out.getvalue()
    return Picture(encoded_as, *image.pixels.size, image.orientation), content


@dataclass(frozen=True, slots=True)
class Decoded:
    """All pixels, upright."""

    pixels: Image.Image
    encoded_as: str
    orientation: int


def decoded(content: bytes, *, about: int | None = None) -> Decoded:
    """All pixels, turned upright. Raises PictureRefused.

    `about` is the longer side that is wanted: a large JPEG is then decoded at a half, a quarter or an eighth, never below.
    """
    try:
        with Image.open(io.BytesIO(content), formats=READ) as image:
            _refuse_size(*image.size)
            if about is not None:
                image.draft(None, (about, about))  # type: ignore[arg-type]  # a mode of None keeps the picture's own
            image.load()
            orientation = _orientation(image)
            pixels = image.transpose(TURNS[orientation]) if orientation in TURNS else image
            return Decoded(pixels, _name(image), orientation)
    except PictureRefused:
        raise
    except Image.DecompressionBombError:
        raise PictureRefused(_too_many()) from None
    except Exception as cause:  # of a decoder, on bytes that anybody sends: nothing that it raises is promised
        raise PictureRefused(
            sentence(
                "The image cannot be read: it is not a whole {kind} ({fault}).",
                kind=format_of(content),
                fault=_words(cause),
            )
        ) from cause


def header(content: bytes) -> tuple[int, int, bool]:
    """(width, height, grey) as its head says, not turned. Raises PictureRefused, also for what moves or has no pixels."""
    try:
        with Image.open(io.BytesIO(content), formats=READ) as image:
            _refuse_size(*image.size)
            frames = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)
            if frames > 1:
                raise PictureRefused(
                    sentence(
                        "The image has {frames} frames or pages; only one that stands still is taken.", frames=frames
                    )
                )
            return (*image.size, image.mode in GREY)
    except PictureRefused:
        raise
    except Image.DecompressionBombError:
        raise PictureRefused(_too_many()) from None
    except Exception as cause:
        raise PictureRefused(sentence("The image cannot be read: it is not a whole {kinds}.", kinds=WORDS)) from cause


def _format_taken(content: bytes) -> str:
    """Its format. Raises PictureRefused for one that is not taken, by the bytes it begins with."""
    found = format_of(content)
    if found in READ:
        return found
    named = next((words for begins, words in KNOWN_OTHERS.items() if begins in content[:16]), "")
    raise PictureRefused(
        sentence("The image is {kind}; {kinds} are taken.", kind=named, kinds=WORDS)
        if named
        else sentence("The image cannot be read: it is not a whole {kinds}.", kinds=WORDS)
    )


def format_of(content: bytes) -> str:
    """By the bytes it begins with; empty for none of those that are read."""
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if content.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "WEBP"
    if content.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    if content.startswith((b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")):
        return "TIFF"
    return "BMP" if content.startswith(b"BM") else ""


def media_type(content: bytes) -> str:
    return MEDIA.get(format_of(content), "application/octet-stream")


def suffix_of(content: bytes) -> str:
    return SUFFIXES.get(format_of(content), ".bin")


def shown_bytes(content: bytes) -> bytes:
    """As a browser shows it upright: every one turns a JPEG, not every one a PNG or a WebP. What is broken goes as it is."""
    if format_of(content) not in ("PNG", "WEBP") or not (b"eXIf" in content or b"EXIF" in content):
        return content
    try:
        image = decoded(content)
    except PictureRefused:
        return content
    if image.orientation == UPRIGHT:
        return content
    out = io.BytesIO()
    image.pixels.save(out, "PNG")
    return out.getvalue()


def encoded_bytes(value: Any) -> bytes:
    """A picture's bytes from what stands in a row: bytes, base64, a data URL, or Hugging Face's object. Raises PictureRefused."""
    if isinstance(value, dict) and isinstance(value.get("bytes"), bytes):
        return bytes(value["bytes"])
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    if not isinstance(value, str):
        raise PictureRefused(sentence("The image is neither bytes nor base64."))
    if "://" in value[:32]:
        raise PictureRefused(
            sentence("The image is an address; nothing is fetched. Send its bytes, as base64 or in Parquet.")
        )
    said = value.split(",", 1)[1] if value.startswith("data:") and "," in value else value
    try:
        return base64.b64decode("".join(said.split()), validate=True)
    except (binascii.Error, ValueError):
        raise PictureRefused(sentence("The image is neither bytes nor base64.")) from None


def eight_bit(picture: Image.Image) -> Image.Image:
    """Pillow cuts 16-bit grey at 255 instead of scaling it."""
    if not picture.mode.startswith("I"):
        return picture
    return Image.fromarray((np.asarray(picture, dtype=np.float32) / 257).clip(0, 255).astype(np.uint8))


def _refuse_wrong_sums(content: bytes) -> None:
    """The checksums of a PNG, which decoding does not compare. Raises PictureRefused."""
    if format_of(content) != "PNG":
        return
    try:
        with Image.open(io.BytesIO(content), formats=("PNG",)) as image:
            image.verify()
    except Exception as cause:
        raise PictureRefused(
            sentence(
                "The image cannot be read: it is not a whole {kind} ({fault}).",
                kind=format_of(content),
                fault=_words(cause),
            )
        ) from cause


def _refuse_size(width: int, height: int) -> None:
    if width < 1 or height < 1:
        raise PictureRefused(
            sentence("The image is {width} by {height} pixels: there is nothing to see.", width=width, height=height)
        )
    if width * height > MOST_PIXELS or max(width, height) > MOST_SIDE:
        raise PictureRefused(
            sentence(
                "The image is {width} by {height} pixels; at most {most} million pixels are taken, and {side:,} a side.",
                width=width,
                height=height,
                most=MOST_PIXELS // 1_000_000,
                side=MOST_SIDE,
            )
        )


def _too_many() -> str:
    return sentence("The image has more than the {most} million pixels that are taken.", most=MOST_PIXELS // 1_000_000)


def _orientation(image: Image.Image) -> int:
    """As EXIF says it, which is what browsers read; anything strange is upright."""
    if image.format == "TIFF" or not image.info.get("exif"):
        return UPRIGHT  # Pillow turns TIFF itself
    try:
        exif = Image.Exif()
        exif.load(image.info["exif"])
        found = exif.get(ExifTags.Base.Orientation)
    except Exception:  # a broken block says nothing
        return UPRIGHT
    return found if isinstance(found, int) and found in TURNS else UPRIGHT


def _name(image: Image.Image) -> str:
    """A phone's MPO is a JPEG with a second picture behind it, which nobody shows."""
    return "JPEG" if image.format == "MPO" else str(image.format)


def _words(cause: Exception) -> str:
    return str(cause).strip().rstrip(".")[:120] or type(cause).__name__
