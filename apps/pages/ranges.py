"""A file to keep, whole or from where a reader's earlier download broke off (RFC 9110, one range of bytes)."""

import re
import weakref
from collections.abc import Callable
from typing import BinaryIO

from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from apps.accounts.models import User
from apps.pages.streams import places

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


class Slice:
    """So many bytes of a file from where it stands."""

    def __init__(self, file: BinaryIO, length: int) -> None:
        self._file, self._left = file, length

    def read(self, most: int = -1) -> bytes:
        piece = self._file.read(self._left if most < 0 else min(most, self._left))
        self._left -= len(piece)
        return piece

    def close(self) -> None:
        self._file.close()


def range_asked(request: HttpRequest, size: int, etag: str) -> tuple[int, int] | None:
    """First and last byte; None for the whole file, also where the file changed since or the range is none of ours.

    Raises ValueError for a range that the file has not.
    """
    asked = _RANGE.fullmatch(request.headers.get("Range", "").strip())
    if asked is None or asked.groups() == ("", "") or request.headers.get("If-Range", etag) != etag:
        return None
    first, last = asked.groups()
    if not first:  # the last so many bytes
        begin, end = max(0, size - int(last)), size - 1
    else:
        begin, end = int(first), min(int(last), size - 1) if last else size - 1
    if begin > end or begin >= size:
        if last and first and int(last) < int(first):
            return None  # as good as unsaid
        raise ValueError("There is no such range.")
    return begin, end


def file_sent(
    request: HttpRequest, file: BinaryIO, *, size: int, etag: str, filename: str, content_type: str, by: User
) -> HttpResponseBase:
    """200, 206 with a part, or 416. The file is closed when the reader has it. Raises TooMany."""
    try:
        part = range_asked(request, size, etag)
    except ValueError:
        file.close()
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    begin, end = part or (0, size - 1)
    try:
        places.take(by.pk)
    except Exception:
        file.close()
        raise
    file.seek(begin)
    response = FileResponse(
        Slice(file, end - begin + 1),
        as_attachment=True,
        filename=filename,
        content_type=content_type,
        status=206 if part else 200,
    )
    closers: list[Callable[[], object]] = response._resource_closers  # type: ignore[attr-defined]  # run by the server
    closers.append(weakref.finalize(response, places.give_back, by.pk))
    response["Content-Length"] = str(end - begin + 1)
    response["Accept-Ranges"], response["ETag"] = "bytes", etag
    if part:
        response["Content-Range"] = f"bytes {begin}-{end}/{size}"
    return response
