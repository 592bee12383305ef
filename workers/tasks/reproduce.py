"""A run that repeats another one: never a candidate, only the answer to whether the same came out."""

import logging
from hashlib import sha256
from typing import Any

import numpy as np
import torch
from django.utils import timezone

from apps.datasets.versions import version_rows
from apps.integrations import wiring
from apps.integrations.ports import Unavailable
from apps.rules import metrics
from apps.training.models import Run
from apps.training.services.reproductions import comparison_record
from workers.tasks.rows import rows_of
from workers.training.encoders.tuned import PREFIX
from workers.training.models.bundle import Bundle, BundleUnreadable, load, predict

logger = logging.getLogger(__name__)


def compare_run(run: Run) -> dict[str, Any]:
    """Hold a completed reproduction against its original and write down what is the same. Safe to do twice."""
    original = run.reproduces
    assert original is not None
    (mine, digest), (theirs, original_digest) = _model_of(run), _model_of(original)
    found: dict[str, Any] = {
        "original": original.number,
        "weights_equal": weights_equal(mine, theirs) if mine and theirs else digest == original_digest != "",
        "digest": digest,
        "original_digest": original_digest,
        "predictions": _predictions(run, mine, theirs) if mine and theirs else None,
        "code_version": run.code_version,
        "original_code_version": original.code_version,
        "packages": _differing(original.packages, run.packages),
        "recipe": _differing(original.recipe, run.recipe),
        "device": run.device,
        "original_device": original.device,
        "unreadable": [r.number for r, bundle in ((original, theirs), (run, mine)) if bundle is None],
    }
    said = "the same weights" if found["weights_equal"] else "other weights"
    line = f"compared with run {original.number}: {said}"
    comparison_record(run_id=run.pk, comparison=found, line=line, at=timezone.now())
    return found


def _model_of(run: Run) -> tuple[Bundle | None, str]:
    """The model and the digest of its file; what the run wrote down where the file is gone."""
    try:
        content = wiring.storage().read(run.artifact_url)
        return load(content), sha256(content).hexdigest()
    except (Unavailable, BundleUnreadable) as cause:
        logger.warning("The model of %s cannot be compared: %s", run, cause)
        return None, run.weights_digest


def weights_equal(mine: Bundle, theirs: Bundle) -> bool:
    """To the last bit, with the same labels and temperature. What else the file says of itself may differ."""
    ours, other = _tensors(mine), _tensors(theirs)
    same_shape = ours.keys() == other.keys() and mine.labels == theirs.labels
    return (
        same_shape
        and mine.temperature == theirs.temperature
        and all(torch.equal(ours[name], other[name]) for name in ours)
    )


def _tensors(bundle: Bundle) -> dict[str, torch.Tensor]:
    """Those of the network, and of the encoder where it was tuned with it."""
    tuned = {f"{PREFIX}{name}": tensor for name, tensor in bundle.tuned.tensors.items()} if bundle.tuned else {}
    return {**bundle.module.state_dict(), **tuned}


def _predictions(run: Run, mine: Bundle, theirs: Bundle) -> dict[str, Any] | None:
    """Both models on the holdout of the version: how many rows get the same answer, and how far probabilities part.

    None where there is no holdout or what the models read cannot be had: the weights are compared all the same.
    """
    assert run.dataset_version is not None
    try:
        ids = [r.example_id for r in version_rows(run.dataset_version) if r.holdout]
        if not ids:
            return None
        new = predict(mine, rows_of(run.project, ids, encoder=mine.encoder))
        old = predict(theirs, rows_of(run.project, ids, encoder=theirs.encoder))
    except (Unavailable, OSError, ValueError, RuntimeError) as cause:
        logger.warning("The answers of %s cannot be compared: %s", run, cause)
        return None
    old = metrics.align(old, theirs.labels, mine.labels)
    equal = int((new.argmax(axis=1) == old.argmax(axis=1)).sum())
    return {"rows": len(ids), "equal": equal, "largest_difference": float(np.abs(new - old).max())}


def _differing(before: dict[str, Any], after: dict[str, Any]) -> dict[str, list[Any]]:
    """What is not the same in both, as [then, now]; None where one of them has nothing."""
    names = sorted(before.keys() | after.keys())
    return {n: [before.get(n), after.get(n)] for n in names if before.get(n) != after.get(n)}
