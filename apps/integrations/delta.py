"""Tables in Delta Lake behind any storage URL. Only appends carry content; what rewrites files never changes what is read."""

import logging
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any, TypeVar

import fsspec

from apps.integrations.integration import Integration, Port
from apps.integrations.ports import TableMissing, TableSize, Unavailable

if TYPE_CHECKING:
    import pyarrow as pa
    from deltalake import DeltaTable

logger = logging.getLogger(__name__)
Answer = TypeVar("Answer")
TRIES = 5  # of a commit that another writer overtook, each with the library's own fifteen
MOST_FILES = 32  # each append is a file; more than this make every read slow
# fsspec's word for a setting of S3 and the object store's.
S3_WORDS = {
    "key": "aws_access_key_id",
    "secret": "aws_secret_access_key",
    "token": "aws_session_token",
    "endpoint_url": "aws_endpoint_url",
    "region_name": "aws_region",
    "region": "aws_region",
}


class DeltaTables:
    def append(self, url: str, rows: "pa.Table") -> TableSize:
        from deltalake import CommitProperties, write_deltalake

        _attempted(
            url,
            lambda: write_deltalake(
                place_of(url),
                rows,
                mode="append",
                storage_options=options_of(url),
                commit_properties=CommitProperties(max_commit_retries=15),
            ),
        )
        return self.size(url)

    def read(self, url: str, batches: Collection[str], *, example_id: int | None = None) -> "pa.Table":
        """A reader that a vacuum overtook finds the same rows in other files when it looks again."""
        import pyarrow as pa
        import pyarrow.compute as pc

        wanted = pc.field("batch").isin(pa.array(sorted(batches), pa.string()))
        if example_id is not None:
            wanted &= pc.field("example_id") == example_id
        return _attempted(url, lambda: _opened(url).to_pyarrow_table(filters=wanted))

    def size(self, url: str) -> TableSize:
        return _attempted(url, lambda: _size(_opened(url)))

    def tidy(self, url: str, keep: Collection[str], *, vacuum_hours: int) -> TableSize:
        return _attempted(url, lambda: _tidied(_opened(url), frozenset(keep), vacuum_hours))


def place_of(url: str) -> str:
    """
    >>> place_of("file:///a b/t"), place_of("gcs://bucket/t"), place_of("s3://bucket/t")
    ('/a b/t', 'gs://bucket/t', 's3://bucket/t')
    """
    for given, wanted in (("file://", ""), ("gcs://", "gs://"), ("s3a://", "s3://")):
        if url.startswith(given):
            return wanted + url.removeprefix(given)
    return url


def options_of(url: str) -> dict[str, str]:
    """What fsspec is told about S3, said to Delta; what stands in the environment both of them read themselves."""
    if not url.startswith(("s3://", "s3a://")):
        return {}
    known: dict[str, Any] = dict(fsspec.config.conf.get("s3", {}))
    known |= known.get("client_kwargs", {})
    options = {said: str(known[word]) for word, said in S3_WORDS.items() if known.get(word)}
    if options.get("aws_endpoint_url", "").startswith("http://"):
        options["aws_allow_http"] = "true"
    return options | {"aws_conditional_put": "etag"}  # two writers never make the same commit


def _opened(url: str) -> "DeltaTable":
    from deltalake import DeltaTable

    return DeltaTable(place_of(url), storage_options=options_of(url))


def _attempted(url: str, act: Callable[[], Answer]) -> Answer:
    """Do it, again where another writer was faster; everything else that goes wrong becomes one sentence."""
    import pyarrow as pa
    from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError

    for attempt in range(TRIES):
        try:
            return act()
        except TableNotFoundError as cause:
            raise TableMissing(f"There is no table at {url}.", permanent=True) from cause
        except (CommitFailedError, FileNotFoundError) as cause:
            if attempt == TRIES - 1:
                raise _damaged(url, cause) from cause
            logger.info("%s is being written by another; trying again: %s", url, cause)
        except (DeltaError, OSError, pa.ArrowException, ValueError) as cause:
            raise _damaged(url, cause) from cause
    raise AssertionError("unreachable")


def _damaged(url: str, cause: Exception) -> Unavailable:
    first = next(iter(str(cause).splitlines()), type(cause).__name__)
    return Unavailable(f"The table at {url} could not be used: {first}"[:390], permanent=True)


def _size(table: "DeltaTable") -> TableSize:
    import pyarrow as pa

    sizes = pa.table(table.get_add_actions(flatten=True)).column("size_bytes").to_pylist()
    return TableSize(files=len(sizes), bytes=sum(sizes))


def _tidied(table: "DeltaTable", keep: frozenset[str], vacuum_hours: int) -> TableSize:
    stored = set(table.to_pyarrow_table(columns=["batch"]).column("batch").unique().to_pylist())
    if stale := sorted(stored - keep):
        named = ", ".join(f"'{batch}'" for batch in stale)
        table.delete(f"batch IN ({named})")
    if len(table.file_uris()) > MOST_FILES or stale:
        table.optimize.compact()
    table.vacuum(retention_hours=vacuum_hours, dry_run=False, enforce_retention_duration=False, full=True)
    return _size(table)


DELTA = Integration("delta", "Delta Lake", Port.TABLES, lambda address: DeltaTables())
