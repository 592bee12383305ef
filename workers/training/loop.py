"""The training loop, to be read from top to bottom: `fit` prepares, `Training.run` trains, `train_step` is the math."""

import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

from workers.training.admission import Targets, checked_base, checked_targets, refuse_unreadable
from workers.training.calibration import temperature
from workers.training.checkpoint import pack, unpack
from workers.training.inputs import Rows, input_for
from workers.training.model import Bundle
from workers.training.networks import Network
from workers.training.recipe import Recipe
from workers.training.refusals import Canceled
from workers.training.validation import split
from workers.training.warm_start import warm_start
from workers.training.without_dynamo import keep_dynamo_out

LabeledRows = tuple[Rows, Targets]

MOST_EVALUATED = 10_000  # validation rows; the loss of more would be no surer and cost time
EVALUATION_BATCH = 2048


@dataclass(frozen=True, slots=True)
class Report:
    """What a run says about itself while it trains; the holdout's curve is for people, no decision reads it."""

    step: int
    steps_total: int
    epoch: int
    train_loss: float
    validation_loss: float | None
    holdout_accuracy: float | None
    holdout_loss: float | None
    learning_rate: float
    samples_per_s: float
    seconds_left: float | None
    device: str


@dataclass(frozen=True, slots=True)
class FitResult:
    """`stopped` is "early" when validation stopped improving, else "epochs". Epochs count from 1."""

    bundle: Bundle
    best_epoch: int
    epochs_run: int
    stopped: str
    steps: int
    seconds: float


def train_step(module: nn.Module, optimizer: Optimizer, x: Tensor, y: Tensor, recipe: Recipe) -> Tensor:
    """One update. x (batch, ...) -> logits (batch, classes); y (batch,) -> scalar loss, still on the device."""
    loss = F.cross_entropy(module(x), y, label_smoothing=recipe.label_smoothing)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(module.parameters(), recipe.clip_norm)
    optimizer.step()
    return loss.detach()


def fit(
    rows: Rows,
    targets: Targets,
    labels: Sequence[str],
    recipe: Recipe,
    *,
    base: Bundle | None = None,
    resume: bytes | None = None,
    holdout: LabeledRows | None = None,
    on_report: Callable[[Report], None] = lambda report: None,
    on_checkpoint: Callable[[bytes], None] = lambda blob: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> FitResult:
    """Train on rows (n) with targets (n,), indices into labels. The caller mixes new and replayed rows beforehand.

    An incremental run starts from base: its preprocessor and width stay, its weights are warm. `resume` takes bytes
    that on_checkpoint got; on the CPU the result then equals an unbroken run. `should_stop` is asked at each report.
    Raises NothingToTrain, OneClassOnly, RowsUnreadable, BaseDoesNotFit, CheckpointUnreadable, Canceled.
    """
    keep_dynamo_out()
    y = checked_targets(rows, targets, labels)
    base = checked_base(base, recipe)
    if base is not None:
        recipe = replace(recipe, hidden=base.recipe.hidden)
    preprocessor = base.preprocessor if base is not None else input_for(recipe.task_type).fit(rows)
    x = preprocessor.tensor(rows)
    refuse_unreadable(x)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    with torch.random.fork_rng(devices=[0] if device.type == "cuda" else []):
        torch.manual_seed(recipe.seed)
        module = preprocessor.network(recipe, len(labels))
        generator = torch.Generator().manual_seed(recipe.seed)
        if base is not None:
            warm_start(module, tuple(labels), base, recipe.shrink, recipe.perturb, generator)
        training = Training(module.to(device), x.to(device), y.to(device), recipe, generator)
        training.run_name = fingerprint(recipe, labels, y)
        training.on_report, training.on_checkpoint, training.should_stop = on_report, on_checkpoint, should_stop
        if holdout is not None and len(holdout[0]):
            seen = preprocessor.tensor(holdout[0])
            readable = seen.flatten(1).isfinite().all(dim=1)
            known = torch.as_tensor(np.asarray(holdout[1], dtype=np.int64))
            training.holdout = seen[readable].to(device), known[readable].to(device)
        if resume is not None:
            training.restore(unpack(resume, run=training.run_name))
        training.run()
        divisor = training.temperature() if base is None else base.temperature
    bundle = Bundle(tuple(labels), recipe, preprocessor, module.cpu().eval(), divisor)
    return FitResult(bundle, training.best_epoch, training.epoch, training.stopped, training.step, training.seconds())


class Training:
    """A run in memory: all that a checkpoint must hold, and the loop that moves it."""

    def __init__(self, module: Network, x: Tensor, y: Tensor, recipe: Recipe, generator: torch.Generator) -> None:
        train, validation = split(y.cpu().numpy(), recipe.validation_share, recipe.seed)
        self.module, self.recipe, self.generator = module, recipe, generator
        self.x, self.y = x[train], y[train]
        validation = validation[:MOST_EVALUATED]
        self.validation = (x[validation], y[validation]) if len(validation) else None
        self.holdout: tuple[Tensor, Tensor] | None = None
        self.optimizer = AdamW(module.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
        self.batches = math.ceil(len(self.y) / recipe.batch_size)
        self.epochs = max(recipe.epochs, math.ceil(recipe.least_steps / self.batches))  # few rows make short epochs
        self.patience = math.ceil(recipe.patience * self.epochs / recipe.epochs)
        self.step = self.epoch = self.best_epoch = self.epochs_since_best = 0
        self.order = torch.empty(0, dtype=torch.long)  # of the epoch under way; empty between two epochs
        self.best_loss, self.best_weights = math.inf, dict[str, Tensor]()
        self.run_name, self.stopped, self.seconds_before = "", "epochs", 0.0
        self.on_report: Callable[[Report], None]
        self.on_checkpoint: Callable[[bytes], None]
        self.should_stop: Callable[[], bool]

    def run(self) -> None:
        """Train until the epochs are over or validation stops improving, and leave the best weights in the module."""
        self.started = self.last_report = self.last_checkpoint = time.monotonic()
        self.loss_sum, self.samples, self.steps_here = torch.zeros((), device=self.x.device), 0, 0
        self.module.train()
        while self.epoch < self.epochs and self.stopped != "early":
            if not len(self.order):
                self.order = torch.randperm(len(self.y), generator=self.generator)
            for place in range(self.step - self.epoch * self.batches, self.batches):
                size = self.recipe.batch_size
                self._one_step(self.order[place * size : (place + 1) * size].to(self.x.device))
                self._keep_the_clock()
            self._end_epoch()
        self._report()
        if self.best_weights:
            self.module.load_state_dict(self.best_weights)

    def _one_step(self, batch: Tensor) -> None:
        rate = learning_rate(self.step, self.epochs * self.batches, self.recipe.learning_rate)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        loss = train_step(self.module, self.optimizer, self.x[batch], self.y[batch], self.recipe)
        self.loss_sum += loss * len(batch)
        self.samples += len(batch)
        self.step += 1
        self.steps_here += 1

    def _keep_the_clock(self) -> None:
        now = time.monotonic()
        if now - self.last_report >= self.recipe.report_every_s:
            self._report()
            if self.should_stop():
                raise Canceled(f"Canceled after {self.step:,} steps.")
        if now - self.last_checkpoint >= self.recipe.checkpoint_every_s:
            self.on_checkpoint(self.checkpoint())
            self.last_checkpoint = time.monotonic()

    def _end_epoch(self) -> None:
        self.epoch += 1
        self.order = self.order[:0]
        if self.validation is None:
            self.best_epoch = self.epoch
            return
        loss, _ = self.evaluate(*self.validation)
        if loss < self.best_loss:
            self.best_loss, self.best_epoch, self.epochs_since_best = loss, self.epoch, 0
            self.best_weights = {name: value.detach().clone() for name, value in self.module.state_dict().items()}
        else:
            self.epochs_since_best += 1
        if self.epochs_since_best >= self.patience:
            self.stopped = "early"

    @torch.inference_mode()
    def logits(self, x: Tensor) -> Tensor:
        """In evaluation mode, (n, ...) -> (n, classes)."""
        self.module.eval()
        starts = range(0, len(x), EVALUATION_BATCH)
        found = torch.cat([self.module(x[start : start + EVALUATION_BATCH]) for start in starts])
        self.module.train()
        return found

    def evaluate(self, x: Tensor, y: Tensor) -> tuple[float, float]:
        """Mean log-loss and accuracy."""
        logits = self.logits(x)
        return F.cross_entropy(logits, y).item(), (logits.argmax(dim=1) == y).float().mean().item()

    def temperature(self) -> float:
        if self.validation is None:
            return 1.0
        x, y = self.validation
        return temperature(self.logits(x), y)

    def seconds(self) -> float:
        """Of training, those before a resume included."""
        return self.seconds_before + time.monotonic() - self.started

    def _report(self) -> None:
        now, total = time.monotonic(), self.epochs * self.batches
        speed = self.steps_here / max(now - self.started, 1e-9)
        holdout_loss, holdout_accuracy = self.evaluate(*self.holdout) if self.holdout else (None, None)
        self.on_report(
            Report(
                step=self.step,
                steps_total=total,
                epoch=self.epoch,
                train_loss=self.loss_sum.item() / max(self.samples, 1),
                validation_loss=self.evaluate(*self.validation)[0] if self.validation else None,
                holdout_accuracy=holdout_accuracy,
                holdout_loss=holdout_loss,
                learning_rate=self.optimizer.param_groups[0]["lr"],
                samples_per_s=self.samples / max(now - self.last_report, 1e-9),
                seconds_left=(total - self.step) / speed if speed and self.stopped != "early" else None,
                device=self.x.device.type,
            )
        )
        self.loss_sum, self.samples, self.last_report = torch.zeros_like(self.loss_sum), 0, time.monotonic()

    def checkpoint(self) -> bytes:
        """Everything that the next step depends on."""
        return pack(
            {
                "run": self.run_name,
                "step": self.step,
                "epoch": self.epoch,
                "order": self.order,
                "best_loss": self.best_loss,
                "best_epoch": self.best_epoch,
                "epochs_since_best": self.epochs_since_best,
                "best_weights": self.best_weights,
                "module": self.module.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "generator": self.generator.get_state(),
                "random": torch.get_rng_state(),
                "seconds": self.seconds(),
            }
        )

    def restore(self, state: dict[str, Any]) -> None:
        self.step, self.epoch, self.order = state["step"], state["epoch"], state["order"]
        self.best_loss, self.best_epoch = state["best_loss"], state["best_epoch"]
        self.epochs_since_best, self.best_weights = state["epochs_since_best"], state["best_weights"]
        self.module.load_state_dict(state["module"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.generator.set_state(state["generator"])
        torch.set_rng_state(state["random"])
        self.seconds_before = state["seconds"]


def learning_rate(step: int, steps_total: int, peak: float) -> float:
    """A tenth of the steps up to the peak, then half a cosine down to a hundredth of it."""
    warm = max(1, steps_total // 10)
    if step < warm:
        return peak * (step + 1) / warm
    done = (step - warm) / max(1, steps_total - warm)
    return peak * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done)))


def fingerprint(recipe: Recipe, labels: Sequence[str], targets: Tensor) -> str:
    """What a checkpoint must agree with; when to report and to save may differ."""
    settings = replace(recipe, report_every_s=0, checkpoint_every_s=0).to_dict()
    digest = blake2b(json.dumps([settings, list(labels)], sort_keys=True).encode(), digest_size=16)
    digest.update(targets.cpu().numpy().tobytes())
    return digest.hexdigest()
