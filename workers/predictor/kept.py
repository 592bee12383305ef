"""What the predictor keeps of the last known release on its own disk, to serve by while database or storage are away.

One folder for each port below the home folder: the artifacts by the digest of their content, and a manifest that names them.
Both are written beside and renamed, so that a killed process leaves the old or the new, and read only where the digest is right.
"""

import contextlib
import json
import logging
import os
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.conf import settings

from apps.integrations import wiring
from apps.releases.selectors import Route, ServedModel

logger = logging.getLogger(__name__)
MANIFEST = "manifest.json"


class KeptRelease:
    """`served` is what the manifest says; empty where there is none, or where it is another console's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.served, self._digests = self._read_manifest()
        self._written = list(self.served)

    def read(self, url: str) -> bytes:
        """The artifact, and kept from then on. Where the storage is away, the kept one. Raises what the storage raises."""
        try:
            content = wiring.storage().read(url)
        except Exception:
            own = self._kept(url)
            if own is None:
                raise
            logger.warning("The storage is away; %s is read from the predictor's own copy", url)
            return own
        self._keep(url, content)
        return content

    def write(self, served: Sequence[ServedModel]) -> None:
        """What serves now, where that is not what the manifest says. A full disk keeps nobody from an answer."""
        if list(served) == self._written:
            return
        urls = {url for one in served for url in (one.artifact_url, one.route.artifact_url if one.route else "") if url}
        self._digests = {url: digest for url, digest in self._digests.items() if url in urls}
        manifest = {
            "instance": settings.INSTANCE_ID,
            "served": [asdict(one) for one in served],
            "artifacts": self._digests,
        }
        try:
            self._put(MANIFEST, json.dumps(manifest).encode())
            self._sweep()
        except OSError as cause:
            logger.warning("The release is not kept for a time without the database: %s", cause)
            return
        self._written = list(served)

    def _keep(self, url: str, content: bytes) -> None:
        digest = sha256(content).hexdigest()
        self._digests[url] = digest
        try:
            if not (self.folder / digest).exists():
                self._put(digest, content)
        except OSError as cause:
            logger.warning("%s is not kept for a time without the storage: %s", url, cause)

    def _kept(self, url: str) -> bytes | None:
        digest = self._digests.get(url)
        if digest is None:
            return None
        with contextlib.suppress(OSError):
            content = (self.folder / digest).read_bytes()
            if sha256(content).hexdigest() == digest:
                return content
            logger.error("The copy of %s is not what was kept; it is not used", url)
        return None

    def _put(self, name: str, content: bytes) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        number, half = tempfile.mkstemp(dir=self.folder, prefix=".half-")
        try:
            with os.fdopen(number, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(half, self.folder / name)
        except BaseException:
            Path(half).unlink(missing_ok=True)
            raise

    def _sweep(self) -> None:
        wanted = {MANIFEST, *self._digests.values()}
        for file in self.folder.iterdir():
            if file.name not in wanted and file.is_file():  # the log has a folder here
                file.unlink(missing_ok=True)

    def _read_manifest(self) -> tuple[list[ServedModel], dict[str, str]]:
        try:
            manifest: dict[str, Any] = json.loads((self.folder / MANIFEST).read_bytes())
            if manifest["instance"] != settings.INSTANCE_ID:
                return [], {}
            return [_served(one) for one in manifest["served"]], dict(manifest["artifacts"])
        except FileNotFoundError:
            return [], {}
        except (OSError, ValueError, KeyError, TypeError) as cause:
            logger.warning("What was kept of the last release cannot be read: %s", cause)
            return [], {}


def _served(one: dict[str, Any]) -> ServedModel:
    route = Route(**one["route"]) if one["route"] else None
    return ServedModel(**{**one, "route": route})
