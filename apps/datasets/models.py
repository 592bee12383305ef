"""Examples, how they came in, what was refused, and the immutable versions that runs train on."""

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy

from apps.projects.models import Project, SchemaLabel


class IngestionState(models.TextChoices):
    MAPPING = "mapping", gettext_lazy("Waits for you")
    QUEUED = "queued", gettext_lazy("Waiting")
    RUNNING = "running", gettext_lazy("Reading")
    COMPLETED = "completed", gettext_lazy("Done")
    FAILED = "failed", gettext_lazy("Failed")


LEFT_OUT = {
    "nameless": gettext_lazy("it has no name"),
    "reserved": gettext_lazy("a word of ours: say under Columns what it is"),
    "not_shown": gettext_lazy("examples here do not show it"),
    "second": gettext_lazy("another column stands for it"),
    "ignored": gettext_lazy("as you said"),
}


class Ingestion(models.Model):
    """One upload or one API batch. (mapping ->) queued -> running -> completed | failed.

    `mapping`: somebody is asked what its columns are. `left_out` has the columns that were not kept, each with why.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="ingestions")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    source = models.CharField(max_length=12)  # upload | api | simulate | demo
    filename = models.CharField(max_length=200, blank=True)
    url = models.CharField(max_length=400, blank=True)
    size_bytes = models.BigIntegerField(default=0)
    state = models.CharField(max_length=10, choices=IngestionState.choices, default=IngestionState.QUEUED)
    received_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    rows_expected = models.PositiveIntegerField(null=True)
    rows_taken = models.PositiveIntegerField(default=0)
    rows_known = models.PositiveIntegerField(default=0)
    rows_refused = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=400, blank=True)
    error_parts = models.JSONField(default=dict, db_default={})  # of the sentence; apps/rules/sentences.py
    attempts = models.PositiveSmallIntegerField(default=0)  # of reading it; what kills its reader is not sent for ever
    left_out = models.JSONField(default=dict)

    commonest_reason = ""  # with its parts: why rows of it were refused, where a selector looked
    commonest_parts: dict[str, object] | None = None
    commonest_rows = 0

    class Meta:
        ordering = ["-id"]

    @property
    def left_out_in_words(self) -> str:
        """Columns that were not kept, each with why, for people."""
        return ", ".join(f"“{column}” ({LEFT_OUT.get(why, why)})" for column, why in self.left_out.items())

    @property
    def nothing_taken(self) -> bool:
        return self.rows_refused > 0 and self.rows_taken + self.rows_known == 0

    @property
    def rows_read(self) -> int:
        return self.rows_taken + self.rows_known + self.rows_refused

    def __str__(self) -> str:
        return self.filename or f"{self.source} batch {self.pk}"


class ColumnMapping(models.Model):
    """What the columns of a project's files are, as somebody said once: `roles` by column, and whether ids are made."""

    project = models.OneToOneField(Project, on_delete=models.CASCADE, related_name="column_mapping", primary_key=True)
    roles = models.JSONField(default=dict)
    make_ids = models.BooleanField(default=False)
    set_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"columns of {self.project}"


class Example(models.Model):
    """One item to label. Its id never changes; `holdout` is decided once, by a hash of `external_id`."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="examples", db_index=False)
    external_id = models.CharField(max_length=200)
    fields = models.JSONField()
    holdout = models.BooleanField()
    collected_at = models.DateTimeField()  # when the world made it: given with the row, else when it reached us
    ingested_at = models.DateTimeField()
    ingestion = models.ForeignKey(Ingestion, null=True, on_delete=models.SET_NULL, related_name="examples")
    content_digest = models.CharField(max_length=32, blank=True)  # of what people see: equal ones are one example

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["project", "external_id"], name="datasets_example_once")]
        indexes = [
            models.Index(fields=["project", "holdout", "id"], name="datasets_example_lane"),
            models.Index(fields=["project", "content_digest"], name="datasets_example_content"),
            models.Index(fields=["project", "ingested_at"], name="datasets_example_came"),
            models.Index(fields=["project", "id"], name="datasets_example_newest"),
        ]

    def __str__(self) -> str:
        return self.external_id


class ExampleBlob(models.Model):
    """The bytes of an image, apart from the row so that lists never drag them along."""

    example = models.OneToOneField(Example, on_delete=models.CASCADE, related_name="blob", primary_key=True)
    content = models.BinaryField()


class ExampleTombstone(models.Model):
    """What is left of an example that somebody had deleted: its number, which versions and reports go on naming.

    Its id is kept as a digest only: enough to refuse it when it is sent again, nothing that tells whose it was.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="tombstones")
    number = models.BigIntegerField()  # the example's key
    id_digest = models.CharField(max_length=32)
    reason = models.CharField(max_length=300)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField()
    held = models.JSONField(default=list)  # assignments that people held: their answers end in words
    allowed_at = models.DateTimeField(null=True)  # since then the id is taken again, as a new example
    cleared_at = models.DateTimeField(null=True)  # when a job had taken its vectors out of every shard

    class Meta:
        ordering = ["-at", "-id"]
        constraints = [models.UniqueConstraint(fields=["project", "number"], name="datasets_tombstone_once")]

    def __str__(self) -> str:
        return f"example {self.number}, deleted"


class SavedView(models.Model):
    """The table of examples as somebody wants to see it again: filters, order and columns, as in an address."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="saved_views")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=80)
    query = models.TextField(blank=True)
    label = models.ForeignKey(SchemaLabel, null=True, on_delete=models.CASCADE, related_name="+")  # beside `query`: by
    # its identity, so that a renamed label is still meant
    shared = models.BooleanField(default=False)  # shown to everybody who sees the data
    at = models.DateTimeField()

    address = ""  # what opens it today, where a selector looked

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["project", "by", "name"], name="datasets_view_once")]

    def __str__(self) -> str:
        return self.name


class DeadLetter(models.Model):
    """A row that did not fit, kept with its number and reason: nothing sent to us is lost."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="dead_letters")
    ingestion = models.ForeignKey(Ingestion, on_delete=models.CASCADE, related_name="dead_letters")
    row_number = models.PositiveIntegerField()
    external_id = models.CharField(max_length=200, blank=True)
    reason = models.CharField(max_length=300)
    parts = models.JSONField(default=dict, db_default={})  # of the reason
    raw = models.TextField()
    at = models.DateTimeField()

    class Meta:
        ordering = ["-ingestion_id", "row_number"]
        constraints = [models.UniqueConstraint(fields=["ingestion", "row_number"], name="datasets_dead_letter_once")]

    def __str__(self) -> str:
        return f"row {self.row_number}: {self.reason}"


class DatasetVersion(models.Model):
    """The labels as they stood at one moment: what the appends of this and all earlier batches to a Delta table say.

    `url` is the table; versions written before it was one are a Parquet file each.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="dataset_versions")
    number = models.PositiveIntegerField()
    url = models.CharField(max_length=400)
    rows = models.PositiveIntegerField()
    holdout_rows = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    batch = models.UUIDField(null=True)  # names the rows of its append; an append whose transaction failed is in no row
    added = models.PositiveIntegerField(default=0)
    relabeled = models.PositiveIntegerField(default=0)
    removed = models.PositiveIntegerField(default=0)
    dropped_at = models.DateTimeField(null=True)  # by the policy: its rows can no longer be read

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["project", "number"], name="datasets_version_once")]

    def __str__(self) -> str:
        return f"data v{self.number}"


class VersionPolicy(models.Model):
    """How long versions stay readable. Those that a model was trained on stay whatever their age."""

    project = models.OneToOneField(Project, on_delete=models.CASCADE, related_name="version_policy", primary_key=True)
    keep_days = models.PositiveIntegerField(
        null=True, default=None, validators=[MinValueValidator(1)]
    )  # None: for ever
    vacuum_hours = models.PositiveIntegerField(default=168)  # before files that no version names are removed
    kept_at = models.DateTimeField(null=True)  # when the policy was last carried out
    files = models.PositiveIntegerField(default=0)
    bytes = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"version policy of {self.project}"
