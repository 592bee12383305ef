"""What turns a payload into a vector: one row an encoder, wherever its weights are."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy


class WeightsIn(models.TextChoices):
    """Where the weights are, and so how a worker loads them."""

    PACKAGE = "package", gettext_lazy("An installed package")
    RUN = "run", gettext_lazy("A fine-tune run")
    FOLDER = "folder", gettext_lazy("A folder or a store")


class EncoderState(models.TextChoices):
    """checking -> ready | failed; a failed one is checked again where somebody asks."""

    CHECKING = "checking", gettext_lazy("Being checked")
    READY = "ready", gettext_lazy("Ready")
    FAILED = "failed", gettext_lazy("Cannot be loaded")


class Encoder(models.Model):
    """The name is the key of its vectors and never changes its meaning: other weights are another encoder."""

    name = models.CharField(max_length=80, unique=True)
    title = models.CharField(max_length=120)
    payload = models.CharField(max_length=10)  # the kind of payload that it reads: text, image, tabular
    dim = models.PositiveIntegerField(default=0)  # of its vectors; 0 until it has been loaded once
    weights_in = models.CharField(max_length=8, choices=WeightsIn.choices)
    url = models.CharField(max_length=400, blank=True)  # of the folder, or of the run's model file
    run_id = models.BigIntegerField(null=True, unique=True)  # of the run that fine-tuned it; runs stand above this app
    state = models.CharField(max_length=8, choices=EncoderState.choices, default=EncoderState.CHECKING)
    error = models.CharField(max_length=400, blank=True)
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    added_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.name

    @property
    def offered(self) -> bool:
        """Whether a project may choose it; a fine-tuned one comes with the promotion of its run."""
        return self.state == EncoderState.READY and self.weights_in != WeightsIn.RUN
