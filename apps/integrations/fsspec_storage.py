"""Files behind any fsspec URL. A file appears whole or not at all: written under another name, then moved."""

import uuid
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

import fsspec
from django.conf import settings

from apps.integrations.integration import Integration, Port
from apps.integrations.ports import Unavailable


class FsspecStorage:
    def __init__(self, root: str | None = None) -> None:
        self.root = (root or settings.STORAGE_URL).rstrip("/")

    def url(self, name: str) -> str:
        return f"{self.root}/{name}"

    def write(self, name: str, content: bytes) -> str:
        return self.write_stream(name, [content])

    def write_stream(self, name: str, chunks: Iterable[bytes]) -> str:
        """Returns the URL. Raises Unavailable with the system's own words, as for a full disk."""
        url = self.url(name)
        filesystem, path = fsspec.core.url_to_fs(url)
        partial = f"{path}.{uuid.uuid4().hex[:8]}.partial"
        try:
            filesystem.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
            with filesystem.open(partial, "wb") as file:
                for chunk in chunks:
                    file.write(chunk)
            filesystem.mv(partial, path)
        except OSError as cause:
            if filesystem.exists(partial):
                filesystem.rm(partial)
            raise Unavailable(f"{name} could not be written: {cause}") from cause
        return url

    def read(self, url: str) -> bytes:
        try:
            with fsspec.open(url, "rb") as file:
                return bytes(file.read())
        except OSError as cause:
            raise Unavailable(f"{url} could not be read: {cause}", permanent=True) from cause

    def local_path(self, url: str) -> str:
        """A path to memory-map; the file itself where storage is local, else a copy fetched once."""
        filesystem, path = fsspec.core.url_to_fs(url)
        if filesystem.protocol in ("file", ("file", "local")):
            return str(path)
        with fsspec.open_local(f"filecache::{url}") as cached:  # pragma: no cover  needs an object store
            return str(cached)

    def listed(self, folder: str) -> Iterator[tuple[str, datetime]]:
        filesystem, path = fsspec.core.url_to_fs(self.url(folder))
        if not filesystem.exists(path):
            return
        for name in filesystem.find(path):
            yield f"{self.url(folder)}{name[len(path) :]}", filesystem.modified(name).astimezone(UTC)

    def remove(self, url: str) -> None:
        filesystem, path = fsspec.core.url_to_fs(url)
        if filesystem.exists(path):
            filesystem.rm(path)

    def remove_folder(self, folder: str) -> int:
        filesystem, path = fsspec.core.url_to_fs(self.url(folder))
        if not filesystem.exists(path):
            return 0
        held = len(filesystem.find(path))
        filesystem.rm(path, recursive=True)
        return held


FSSPEC_STORAGE = Integration("fsspec-storage", "Files behind an fsspec URL", Port.STORAGE, FsspecStorage, "STORAGE_URL")
