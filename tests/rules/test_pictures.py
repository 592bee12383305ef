"""A picture is decoded to its last pixel when it comes, seen upright everywhere, and refused in words by what is in it."""

import base64
import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from apps.rules import pictures
from apps.rules.pictures import PictureRefused, decoded, encoded_bytes, header, media_type, shown_bytes, taken

ORIENTATION = 0x0112


def corner(width: int = 40, height: int = 30, mode: str = "RGB") -> Image.Image:
    """Black with a white upper left quarter, so that each of the eight turns looks different from its size or pixels."""
    image = Image.new("L", (width, height))
    image.paste(255, (0, 0, width // 2, height // 2))
    return image.convert(mode)


def encoded(image: Image.Image, encoded_as: str, orientation: int = 0) -> bytes:
    out, more = io.BytesIO(), {}
    if orientation:
        exif = Image.Exif()
        exif[ORIENTATION] = orientation
        more["exif"] = exif
    image.save(out, encoded_as, **more)
    return out.getvalue()


def png_of(width: int, height: int, pixels: bytes) -> bytes:
    """Well formed on the outside: every chunk with its right checksum."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


@pytest.mark.parametrize("encoded_as", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
def test_what_browsers_show_is_taken_and_kept_byte_for_byte(encoded_as):
    content = encoded(corner(), encoded_as)
    picture, kept = taken(content)
    assert (picture.encoded_as, picture.width, picture.height, picture.orientation) == (encoded_as, 40, 30, 1)
    assert kept is content
    assert media_type(content) == f"image/{encoded_as.lower()}"


def test_a_tiff_is_kept_as_png():
    picture, kept = taken(encoded(corner(), "TIFF", 6))
    assert (picture.encoded_as, picture.width, picture.height, picture.orientation) == ("PNG", 30, 40, 1)
    assert kept.startswith(b"\x89PNG") and Image.open(io.BytesIO(kept)).size == (30, 40)


@pytest.mark.parametrize("encoded_as", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize(
    ("orientation", "size", "white"),
    [
        (1, (40, 30), "left top"),
        (2, (40, 30), "right top"),
        (3, (40, 30), "right bottom"),
        (4, (40, 30), "left bottom"),
        (5, (30, 40), "left top"),
        (6, (30, 40), "right top"),
        (7, (30, 40), "right bottom"),
        (8, (30, 40), "left bottom"),
        (9, (40, 30), "left top"),
        (77, (40, 30), "left top"),
    ],
)
def test_a_picture_is_seen_as_its_exif_turns_it(encoded_as, orientation, size, white):
    content = encoded(corner(), encoded_as, orientation)
    picture, kept = taken(content)
    assert (picture.width, picture.height) == size
    assert kept is content
    pixels = np.asarray(decoded(content).pixels.convert("L"), float)
    half_y, half_x = size[1] // 2, size[0] // 2
    quarters = {
        "left top": pixels[:half_y, :half_x],
        "right top": pixels[:half_y, half_x:],
        "left bottom": pixels[half_y:, :half_x],
        "right bottom": pixels[half_y:, half_x:],
    }
    assert max(quarters, key=lambda name: quarters[name].mean()) == white


def test_a_browser_gets_upright_bytes_of_what_it_may_not_turn_itself():
    turned = encoded(corner(), "WEBP", 6)
    assert Image.open(io.BytesIO(shown_bytes(turned))).size == (30, 40)
    for as_it_is in (encoded(corner(), "JPEG", 6), encoded(corner(), "PNG"), encoded(corner(), "PNG", 1)):
        assert shown_bytes(as_it_is) is as_it_is


BROKEN = png_of(8, 8, b"\x78\x9c" + b"\x00" * 18)
WHOLE_PNG, WHOLE_JPEG = encoded(corner(), "PNG"), encoded(corner(400, 300), "JPEG")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (BROKEN, "The image cannot be read: it is not a whole "),
        (WHOLE_PNG[:-20], "The image cannot be read: it is not a whole "),
        (WHOLE_PNG[:60] + b"\xff" + WHOLE_PNG[61:], "The image cannot be read: it is not a whole "),
        (WHOLE_JPEG[: len(WHOLE_JPEG) // 2], "The image cannot be read: it is not a whole "),
        (png_of(0, 8, zlib.compress(b"")), "The image "),
        (
            encoded(Image.new("1", (16_385, 1)), "PNG"),
            "16385 by 1 pixels; at most 50 million pixels are taken, and 16,384",
        ),
        (encoded(Image.new("1", (10_000, 5_001)), "PNG"), "10000 by 5001 pixels; at most 50 million"),
        (png_of(60_000, 60_000, zlib.compress(b"")), "more than the 50 million pixels"),
        (b"", "it is not a whole PNG, JPEG, WebP, GIF or BMP"),
        (b"hello", "it is not a whole PNG"),
        (b"%PDF-1.7", "The image is PDF; PNG, JPEG, WebP, GIF or BMP are taken."),
        (b"\x00\x00\x00\x1cftypheic", "The image is HEIC; PNG"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "it is not a whole PNG"),
    ],
    ids=[
        "inside",
        "cut",
        "wrong sum",
        "half",
        "empty",
        "long",
        "large",
        "bomb",
        "nothing",
        "text",
        "pdf",
        "heic",
        "eps",
    ],
)
def test_what_is_no_picture_is_refused_in_words(content, words):
    with pytest.raises(PictureRefused) as refused:
        taken(content)
    assert words in str(refused.value)


@pytest.mark.parametrize("encoded_as", ["GIF", "WEBP", "PNG"])
def test_a_picture_that_moves_is_refused(encoded_as):
    out = io.BytesIO()
    corner().save(out, encoded_as, save_all=True, append_images=[corner(40, 30).transpose(Image.Transpose.ROTATE_180)])
    with pytest.raises(PictureRefused, match="2 frames"):
        taken(out.getvalue())


def test_a_phones_second_picture_in_a_jpeg_is_passed_over():
    out = io.BytesIO()
    corner().save(out, "MPO", save_all=True, append_images=[corner(20, 20)])
    picture, _ = taken(out.getvalue())
    assert (picture.encoded_as, picture.width, picture.height) == ("JPEG", 40, 30)


def test_bytes_come_in_every_spelling():
    content = encoded(corner(), "PNG")
    text = base64.b64encode(content).decode()
    wrapped = "\n".join(text[i : i + 76] for i in range(0, len(text), 76))
    for said in (
        content,
        bytearray(content),
        text,
        wrapped,
        f"data:image/png;base64,{text}",
        {"bytes": content, "path": ""},
    ):
        assert encoded_bytes(said) == content
    for said, words in (
        (5, "neither bytes nor base64"),
        ("not base64!", "neither"),
        ("https://example.org/a.png", "address"),
    ):
        with pytest.raises(PictureRefused, match=words):
            encoded_bytes(said)


def test_a_large_jpeg_is_decoded_at_a_fraction_and_never_below_what_is_wanted():
    content = encoded(corner(1600, 1200), "JPEG", 6)
    assert decoded(content, about=100).pixels.size == (150, 200)
    assert decoded(content).pixels.size == (1200, 1600)
    assert header(content) == (1600, 1200, False)


def test_sixteen_bits_of_grey_are_scaled_and_not_cut():
    image = Image.fromarray(np.array([[0, 32_768, 65_535]], np.uint16))
    assert np.asarray(pictures.eight_bit(image)).tolist() == [[0, 127, 255]]
