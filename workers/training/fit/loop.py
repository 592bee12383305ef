"""`fit` prepares a training and keeps what it ends with; `steps.Training` trains."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from hashlib import blake2b

import numpy as np
import torch
from torch import Tensor

from apps.rules.training_report import TrainingReport
from workers.training.device import device_here
from workers.training.fit.admission import (
    Targets,
    checked_base,
    checked_targets,
    readable,
    refuse_unreadable,
    without_unreadable,
)
from workers.training.fit.checkpoint import unpack
from workers.training.fit.memory import out_of_memory
from workers.training.fit.reports import FitResult, Listeners
from workers.training.fit.steps import FitState, learning_rate
from workers.training.fit.tables import RefitRows, TableBlend
from workers.training.fit.texts import TextBlend
from workers.training.fit.warm_start import warm_start
from workers.training.fit.without_dynamo import keep_dynamo_out
from workers.training.learners import learner_named
from workers.training.models.bundle import Bundle
from workers.training.models.inputs import Rows, TextInput
from workers.training.models.networks import TabularNet, TextHead
from workers.training.models.words import TextRows
from workers.training.recipes import IncrementalRecipe, SteppedRecipe
from workers.training.refusals import MemoryTooSmall

__all__ = ["FitResult", "TrainingReport", "fingerprint", "fit", "learning_rate"]
LabeledRows = tuple[Rows, Targets]


def fit(
    rows: Rows,
    targets: Targets,
    labels: Sequence[str],
    recipe: SteppedRecipe,
    *,
    base: Bundle | None = None,
    resume: bytes | None = None,
    holdout: LabeledRows | None = None,
    weights: Sequence[float] | None = None,
    on_report: Callable[[TrainingReport], None] = lambda report: None,
    on_checkpoint: Callable[[bytes], None] = lambda blob: None,
    on_notice: Callable[[str], None] = lambda sentence: None,
    on_unreadable: Callable[[list[int], bool], None] | None = None,
    should_stop: Callable[[], bool] = lambda: False,
    times: Sequence[float] | None = None,
    refit: RefitRows | None = None,
) -> FitResult:
    """Train on rows (n) with targets (n,), indices into labels. The caller mixes new and replayed rows beforehand; `weights` (n,)
    says how much each counts in the loss, without them all count alike.

    An incremental run starts from base: its preprocessor and width stay, its weights are warm. `resume` takes bytes
    that on_checkpoint got; on the CPU the result then equals an unbroken run. `on_notice` gets a sentence when memory
    ends and the batch is computed in smaller parts. `on_unreadable` gets the places of rows that cannot be read, which
    are then left out, and whether they are of the holdout; without it they are refused. `should_stop` is asked at each
    report. `times` (n,) are moments of the rows, where they have some: by later rows learners of tables are chosen, and runs say
    what random rows would have promised. On `refit`, if not on `rows`, an incremental run of a table fits anew what stands
    beside its network. Raises NothingToTrain, OneClassOnly,
    RowsUnreadable, BaseDoesNotFit, CheckpointUnreadable, MemoryTooSmall, Canceled.
    """
    try:
        return _fit(
            rows,
            targets,
            labels,
            recipe,
            base,
            resume,
            holdout,
            weights,
            Listeners(on_report, on_checkpoint, on_notice, should_stop),
            on_unreadable,
            times,
            refit,
        )
    except (RuntimeError, MemoryError) as fault:
        if out_of_memory(fault):
            raise MemoryTooSmall(f"The rows and the model do not fit into the memory: {fault}") from fault
        raise


def _fit(
    rows: Rows,
    targets: Targets,
    labels: Sequence[str],
    recipe: SteppedRecipe,
    base: Bundle | None,
    resume: bytes | None,
    holdout: LabeledRows | None,
    weights: Sequence[float] | None,
    listeners: Listeners,
    on_unreadable: Callable[[list[int], bool], None] | None,
    times: Sequence[float] | None,
    refit: RefitRows | None,
) -> FitResult:
    keep_dynamo_out()
    y = checked_targets(rows, targets, labels)
    base = checked_base(base, recipe)
    if base is not None:
        recipe = replace(recipe, hidden=base.recipe.hidden)
    preprocessor = base.preprocessor if base is not None else learner_named(recipe.task_type).input.fit(rows)
    x = preprocessor.tensor(_networks(rows))
    whole = readable(x)
    counted = None if weights is None else torch.as_tensor(np.asarray(weights, np.float32))[whole]
    if on_unreadable is None:
        refuse_unreadable(x)
    else:
        x, y = without_unreadable(x, y, labels, lambda places: on_unreadable(places, False))
    device = device_here()
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(recipe.seed)
        module = preprocessor.network(recipe, len(labels))
        generator = torch.Generator().manual_seed(recipe.seed)
        if base is not None and isinstance(recipe, IncrementalRecipe):
            warm_start(module, tuple(labels), base, recipe.shrink, recipe.perturb, generator)
        counted = None if counted is None else counted.to(device)
        training = FitState(module.to(device), x.to(device), y.to(device), recipe, generator, weights=counted)
        training.run_name = fingerprint(recipe, labels, y, counted)
        training.listeners = listeners
        if holdout is not None and len(holdout[0]):
            seen = preprocessor.tensor(_networks(holdout[0]))
            known, can_be = torch.as_tensor(np.asarray(holdout[1], dtype=np.int64)), readable(seen)
            if on_unreadable is not None and not bool(can_be.all()):
                on_unreadable((~can_be).nonzero().flatten().tolist(), True)
            training.holdout = seen[can_be].to(device), known[can_be].to(device)
        if resume is not None:
            training.restore(unpack(resume, run=training.run_name))
        training.run()
        divisor = training.temperature() if base is None else base.temperature
    module = module.cpu().eval()
    if isinstance(module, TabularNet):
        table = TableBlend(preprocessor, tuple(labels), recipe, device, listeners)
        divisor = table.blended(module, x, y, counted, times, refit, base) or divisor
    elif isinstance(module, TextHead) and isinstance(rows, TextRows) and isinstance(preprocessor, TextInput):
        text = TextBlend(tuple(labels), recipe, listeners)
        texts = rows.texts if bool(whole.all()) else rows[whole.numpy()].texts
        module.words = text.worded(module, texts, x, y, counted, divisor, base, times)
        preprocessor = replace(preprocessor, words=module.words is not None)
    bundle = Bundle(tuple(labels), recipe, preprocessor, module.eval(), divisor)
    return FitResult(bundle, training.best_epoch, training.epoch, training.stopped, training.step, training.seconds())


def _networks(rows: Rows) -> Rows:
    """What the network itself reads: of texts their vectors."""
    return rows.vectors if isinstance(rows, TextRows) else rows


def fingerprint(recipe: SteppedRecipe, labels: Sequence[str], targets: Tensor, weights: Tensor | None = None) -> str:
    """What a checkpoint must agree with; when to report and to save may differ."""
    settings = replace(recipe, report_every_s=0, checkpoint_every_s=0).to_dict()
    digest = blake2b(json.dumps([settings, list(labels)], sort_keys=True).encode(), digest_size=16)
    digest.update(targets.cpu().numpy().tobytes())
    if weights is not None:
        digest.update(weights.cpu().numpy().tobytes())
    return digest.hexdigest()
