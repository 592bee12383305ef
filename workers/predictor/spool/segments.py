"""One file of the spool: a head that says whose it is, then a record for each request.

A record is its length, how many rows it has and a checksum of both and of its bytes, then the bytes. It is appended by one
write, so what is half there is at the end alone, and the checksum tells it from what is whole.
"""

import errno
import fcntl
import os
import struct
import uuid
import zlib
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

_MAGIC = b"FLLOG 2\n"
_READ = (_MAGIC, b"FLLOG 1\n")  # of the release before: shorter rows
HEAD = struct.Struct("<8s16s16s")  # magic, the console's instance, the segment's own id
_RECORD = struct.Struct("<III")
READ_AT_ONCE = 4_000_000  # bytes
MOST_RECORD = 512_000_000  # bytes; a longer one is no record of ours
SUFFIX = ".log"


class SegmentUnreadable(Exception):
    """A file that is no segment of this console; the text says why."""


class PartEnd(StrEnum):
    """How the reading of a part ended."""

    MORE = "more"
    END = "end"
    TORN = "torn"  # the last record is not whole: whoever wrote it was killed
    DAMAGED = "damaged"  # a record in the middle does not say what was written


@dataclass(frozen=True)
class SegmentPart:
    """Whole records from one offset on; `end` is where the next one begins."""

    records: list[bytes]
    end: int
    ended: PartEnd


@dataclass(eq=False)
class Segment:
    """`size` is how far it may be read, `done` how far it is in the database, as far as this process knows."""

    path: Path
    id: uuid.UUID
    size: int
    rows: int
    done: int = HEAD.size
    rows_done: int = 0
    active: bool = False
    fd: int = field(default=-1, repr=False)

    @property
    def waiting(self) -> int:
        return max(self.rows - self.rows_done, 0)

    def append(self, content: bytes, rows: int) -> int:
        """Whole or not at all; how many bytes. Raises OSError."""
        counted = struct.pack("<II", len(content), rows)
        record = counted + struct.pack("<I", zlib.crc32(content, zlib.crc32(counted))) + content
        written = os.write(self.fd, record)
        if written != len(record):
            self._write_rest(record, written)
        self.size += len(record)
        self.rows += rows
        return len(record)

    def _write_rest(self, record: bytes, written: int) -> None:
        """A write that came short: a record of gigabytes, or a disk that is full. Half a record does not stay."""
        try:
            while written < len(record):
                more = os.write(self.fd, record[written:])
                if more == 0:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                written += more
        except OSError:
            os.ftruncate(self.fd, self.size)
            raise

    def read(self, most_rows: int) -> SegmentPart:
        """From where it is done: as many records as fit one read, of about so many rows. Raises OSError."""
        size = self.size
        if self.done >= size:
            return SegmentPart([], self.done, PartEnd.END)
        with self.path.open("rb", buffering=0) as file:
            return _read(file.fileno(), self.done, size, most_rows)

    def moved_to(self, end: int) -> None:
        """The database is further, or less far, than was thought: another process wrote of it. Raises OSError."""
        with self.path.open("rb", buffering=0) as file:
            self.done, self.rows_done = end, _rows_in(file.fileno(), min(end, self.size))

    def close(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)  # and with it the lock
            self.fd = -1


def _read(fd: int, begin: int, size: int, most_rows: int) -> SegmentPart:
    content = os.pread(fd, min(READ_AT_ONCE, size - begin), begin)
    records, place, rows = list[bytes](), 0, 0
    while begin + place < size and rows < most_rows:
        if len(content) - place < _RECORD.size:
            if begin + place + _RECORD.size > size:
                return SegmentPart(records, begin + place, PartEnd.TORN)
            break  # in the next read
        length, number, checksum = _RECORD.unpack_from(content, place)
        end = place + _RECORD.size + length
        if begin + end > size:
            return SegmentPart(records, begin + place, PartEnd.TORN)
        if length > MOST_RECORD or length == 0:
            return SegmentPart(records, begin + place, _fault(fd, begin + place, size))
        if end > len(content):
            if records:
                break
            content = os.pread(fd, end, begin)
        record = content[place + _RECORD.size : end]
        if zlib.crc32(record, zlib.crc32(content[place : place + 8])) != checksum:
            torn = begin + end == size
            return SegmentPart(records, begin + place, PartEnd.TORN if torn else _fault(fd, begin + place, size))
        records.append(record)
        place, rows = end, rows + number
    return SegmentPart(records, begin + place, PartEnd.MORE if begin + place < size else PartEnd.END)


def _fault(fd: int, begin: int, size: int) -> PartEnd:
    """Nothing but zeros up to the end is what a power cut leaves of records that had not reached the disk."""
    while begin < size:
        content = os.pread(fd, min(READ_AT_ONCE, size - begin), begin)
        if not content:
            break
        if content.count(0) != len(content):
            return PartEnd.DAMAGED
        begin += len(content)
    return PartEnd.TORN


def segment_made(folder: Path, instance: str, number: int) -> Segment:
    """A new one, locked as long as this process has it open. Its head is whole before it has its name. Raises OSError."""
    own = uuid.uuid4()
    path = folder / f"{number:020d}-{own.hex[:8]}{SUFFIX}"
    half = path.with_suffix(".half")
    fd = os.open(half, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        head = HEAD.pack(_MAGIC, instance.encode()[:16], own.bytes)
        if os.write(fd, head) != len(head):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        half.rename(path)
    except OSError:
        os.close(fd)
        half.unlink(missing_ok=True)
        raise
    return Segment(path, own, HEAD.size, 0, active=True, fd=fd)


def segment_found(path: Path, instances: set[str]) -> Segment | None:
    """One that an earlier process left; None where a living one writes it. Raises SegmentUnreadable and OSError."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            return None
        size = os.fstat(fd).st_size
        head = os.pread(fd, HEAD.size, 0)
        if len(head) < HEAD.size or head[: len(_MAGIC)] not in _READ:
            raise SegmentUnreadable("it is no file of a prediction log, or of another release's")
        _, instance, own = HEAD.unpack(head)
        if instance.decode(errors="replace") not in instances:
            raise SegmentUnreadable("it is another console's, or SECRET_KEY was changed without SECRET_KEY_FALLBACKS")
        return Segment(path, uuid.UUID(bytes=own), size, _rows_in(fd, size), fd=fd)
    except (OSError, SegmentUnreadable):
        os.close(fd)
        raise


def _rows_in(fd: int, size: int) -> int:
    """By its records' heads, as far as they lead."""
    place, rows = HEAD.size, 0
    while place + _RECORD.size <= size:
        length, number, _ = _RECORD.unpack(os.pread(fd, _RECORD.size, place))
        place += _RECORD.size + length
        if length == 0 or place > size:
            break
        rows += number
    return rows
