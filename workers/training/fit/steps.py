"""The steps of a training: `Training.run` moves it, `_one_step` is the math."""

import math
import time
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import AdamW

from apps.rules.training_report import TrainingReport
from workers.training.fit.calibration import temperature
from workers.training.fit.checkpoint import pack
from workers.training.fit.memory import give_back, out_of_memory
from workers.training.fit.ranks import Ranks
from workers.training.fit.reports import Listeners
from workers.training.fit.telemetry import DeviceUse
from workers.training.fit.validation import split
from workers.training.learners import learner_named
from workers.training.models.networks import Network
from workers.training.recipes import SteppedRecipe
from workers.training.refusals import Canceled, MemoryTooSmall

MOST_EVALUATED = 10_000  # validation rows; the loss of more would be no surer and cost time
EVALUATION_BATCH = 2048
CHEAP_S, DEAR = 0.2, 5  # a look at the held rows that takes longer is taken again after five times as long


class FitState:
    """A run in memory: all that a checkpoint must hold, and the loop that moves it."""

    def __init__(
        self,
        module: Network,
        x: Tensor,
        y: Tensor,
        recipe: SteppedRecipe,
        generator: torch.Generator,
        ranks: Ranks | None = None,
        weights: Tensor | None = None,
    ) -> None:
        train, validation = split(y.cpu().numpy(), recipe.validation_share, recipe.seed)
        self.module, self.recipe, self.generator, self.ranks = module, recipe, generator, ranks or Ranks()
        self.outputs = learner_named(recipe.task_type).outputs
        self.forward = self.ranks.wrap(module)  # what the steps call: wrapped, or compiled
        self.x, self.y = x[train], y[train]
        self.weights = None if weights is None else weights[train]  # of rows in the loss; None where all count alike
        validation = validation[:MOST_EVALUATED]
        self.held_weights = None if weights is None else weights[validation]
        self.validation = (x[validation], y[validation]) if len(validation) else None
        self.holdout: tuple[Tensor, Tensor] | None = None
        groups = [
            {"params": parameters, "lr": peak, "peak": peak} for parameters, peak in module.parameter_groups(recipe)
        ]
        self.optimizer = AdamW(groups, weight_decay=recipe.weight_decay)
        self.batches = math.ceil(len(self.y) / recipe.batch_size)
        self.epochs = max(recipe.epochs, math.ceil(recipe.least_steps / self.batches))  # few rows make short epochs
        self.patience = math.ceil(recipe.patience * self.epochs / recipe.epochs)
        self.micro = math.ceil(math.ceil(recipe.batch_size / recipe.accumulate) / self.ranks.world)
        self.evaluated = EVALUATION_BATCH  # rows at once; it too is halved where memory ends
        self.step = self.epoch = self.best_epoch = self.epochs_since_best = 0
        self.order = torch.empty(0, dtype=torch.long)  # of the epoch under way; empty between two epochs
        self.best_loss, self.best_weights = math.inf, dict[str, Tensor]()
        self.run_name, self.stopped, self.seconds_before = "", "epochs", 0.0
        self.listeners = Listeners()

    def run(self) -> None:
        """Train until the epochs are over or validation stops improving, and leave the best weights in the module."""
        self.started = self.last_report = self.last_checkpoint = self.last_look = time.monotonic()
        self.use, self.look_s = DeviceUse(self.x.device), 0.0
        self.busy: float | None = None
        self.loss_sum, self.samples, self.steps_here = torch.zeros((), device=self.x.device), 0, 0
        self.samples_here, self.paused_s, self.mean_loss, self.speed = 0, 0.0, 0.0, 0.0
        self.told = 0.0  # rows whose loss is in the sum; among several processes its own share alone
        self.module.train()
        while self.epoch < self.epochs and self.stopped != "early":
            if not len(self.order):
                drawn = torch.randperm(len(self.y), generator=self.generator)
                self.order = self.module.arranged(drawn, self.x, self.recipe.batch_size, self.generator)
            for place in range(self.step - self.epoch * self.batches, self.batches):
                size = self.recipe.batch_size
                self._one_step(self.order[place * size : (place + 1) * size].to(self.x.device))
                self._keep_the_clock()
            self._end_epoch()
        self._report()
        if self.best_weights:
            self.module.load_state_dict(self.best_weights, strict=False)

    def _one_step(self, batch: Tensor) -> None:
        """One update from the mean loss of the batch (rows,)."""
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.step, self.epochs * self.batches, group["peak"])
        loss = self._gradients(batch)
        nn.utils.clip_grad_norm_(self.module.parameters(), self.recipe.clip_norm)
        self.optimizer.step()
        self.loss_sum += loss
        self.samples += len(batch)
        self.samples_here += len(batch)
        self.step += 1
        self.steps_here += 1

    def _gradients(self, batch: Tensor) -> Tensor:
        """Gradients of the batch; where they do not fit into memory, in parts half the size, which add up to the same."""
        while True:
            try:
                return self._accumulated(batch)
            except (RuntimeError, MemoryError) as fault:
                if self.ranks.world > 1 or not out_of_memory(fault):
                    raise
            self._halve(len(batch))

    def _accumulated(self, batch: Tensor) -> Tensor:
        """x (part, ...) -> logits (part, classes); returns the summed loss of the batch, still on the device."""
        self.optimizer.zero_grad(set_to_none=True)
        rows, weight = self.ranks.share(batch)
        total = torch.zeros((), device=self.x.device)
        parts: tuple[Tensor, ...] = torch.split(rows, self.micro)  # type: ignore[no-untyped-call]
        for place, part in enumerate(parts, start=1):
            with self.ranks.sharing(last=place == len(parts)):
                logits = self.forward(self.x[part])
                of_part = None if self.weights is None else self.weights[part]
                loss = self.outputs.loss(logits, self.y[part], self.recipe.label_smoothing, of_part)
                # averaged over the processes, this is the gradient of the mean over the whole batch
                (loss * (weight * len(part) * self.ranks.world / len(batch))).backward()  # type: ignore[no-untyped-call]
            total += loss.detach() * (weight * len(part))
        self.told += weight * len(rows)
        return total

    def _halve(self, rows: int) -> None:
        before = min(self.micro, rows)
        if before <= 1:
            raise MemoryTooSmall(
                "Not even one example at a time fits into the memory. Shorten the texts or take a larger device."
            )
        self.micro = before // 2
        self.optimizer.zero_grad(set_to_none=True)
        give_back()
        self.listeners.on_notice(
            f"out of memory at step {self.step}: {before} examples at a time are too many, going on with {self.micro}; "
            f"{math.ceil(self.recipe.batch_size / self.micro)} parts make a batch of {self.recipe.batch_size} as before"
        )

    def _keep_the_clock(self) -> None:
        if not self.ranks.tells:
            return
        now = time.monotonic()
        if now - self.last_report >= self.recipe.report_every_s:
            self._report()
            if self.listeners.should_stop():
                raise Canceled(f"Canceled after {self.step:,} steps.")
        if now - self.last_checkpoint >= self.recipe.checkpoint_every_s:
            began = time.monotonic()
            self.listeners.on_checkpoint(self.checkpoint())
            self.last_checkpoint = time.monotonic()
            self.paused_s += self.last_checkpoint - began

    def _end_epoch(self) -> None:
        self.epoch += 1
        self.order = self.order[:0]
        if self.validation is None:
            self.best_epoch = self.epoch
            return
        began = time.monotonic()
        loss = self.ranks.agreed(self.evaluate(*self.validation, self.held_weights)[0], self.x.device)
        if loss < self.best_loss:
            self.best_loss, self.best_epoch, self.epochs_since_best = loss, self.epoch, 0
            self.best_weights = {name: value.detach().clone() for name, value in self.module.trained_state().items()}
        else:
            self.epochs_since_best += 1
        if self.epochs_since_best >= self.patience:
            self.stopped = "early"
        self.paused_s += time.monotonic() - began

    @torch.inference_mode()
    def logits(self, x: Tensor) -> Tensor:
        """In evaluation mode, (n, ...) -> (n, classes)."""
        self.module.eval()
        while True:
            try:
                parts = torch.split(x, self.evaluated)  # type: ignore[no-untyped-call]
                found = torch.cat([self.module(part) for part in parts])
                break
            except (RuntimeError, MemoryError) as fault:
                if self.evaluated <= 1 or not out_of_memory(fault):
                    raise
            self.evaluated //= 2
            give_back()
        self.module.train()
        return found

    def evaluate(self, x: Tensor, y: Tensor, weights: Tensor | None = None) -> tuple[float, float]:
        """Mean log-loss and accuracy; weights count in the loss alone."""
        logits = self.logits(x)
        return self.outputs.loss(logits, y, 0.0, weights).item(), self.outputs.right(logits, y).float().mean().item()

    def temperature(self) -> float:
        if self.validation is None:
            return 1.0
        x, y = self.validation
        return temperature(self.logits(x), y, partial(self.outputs.loss, weights=self.held_weights))

    def seconds(self) -> float:
        """Of training, those before a resume included."""
        return self.seconds_before + time.monotonic() - self.started

    def samples_per_s(self) -> float:
        """Of this attempt's steps alone, without what was measured and kept between them."""
        return self.samples_here / max(time.monotonic() - self.started - self.paused_s, 1e-9)

    def _report(self) -> None:
        if not self.ranks.tells:
            return
        summed = self.loss_sum.item()  # waits for the device
        now, total = time.monotonic(), self.epochs * self.batches
        if self.samples:  # else the last step was told already, and this report says again what stands
            self.mean_loss = summed / self.told
            self.speed = self.samples / max(now - self.last_report, 1e-9)
            self.busy = self.use.percent()
        speed = self.steps_here / max(now - self.started, 1e-9)
        looked = self._looked_at(now)
        self.listeners.on_report(
            TrainingReport(
                step=self.step,
                steps_total=total,
                epoch=self.epoch,
                train_loss=self.mean_loss,
                validation_loss=looked[0],
                holdout_accuracy=looked[1],
                holdout_loss=looked[2],
                learning_rate=self.optimizer.param_groups[0]["lr"],
                samples_per_s=self.speed,
                seconds_left=(total - self.step) / speed if speed and self.stopped != "early" else None,
                device=self.x.device.type,
                device_percent=self.busy,
                memory_mb=self.use.memory_mb(),
            )
        )
        self.loss_sum, self.samples, self.told = torch.zeros_like(self.loss_sum), 0, 0.0
        self.last_report = time.monotonic()
        self.paused_s += self.last_report - now

    def _looked_at(self, now: float) -> tuple[float | None, float | None, float | None]:
        """Validation loss, holdout accuracy and loss; None where looking would take more than a sixth of the time."""
        over = self.epoch == self.epochs or self.stopped == "early"
        if self.look_s > CHEAP_S and not over and now - self.last_look < DEAR * self.look_s:
            return None, None, None
        validation = self.evaluate(*self.validation, self.held_weights)[0] if self.validation else None
        loss, accuracy = self.evaluate(*self.holdout) if self.holdout else (None, None)
        self.last_look = time.monotonic()
        self.look_s = self.last_look - now
        return validation, accuracy, loss

    def checkpoint(self) -> bytes:
        """Everything that the next step depends on."""
        return pack(
            {
                "run": self.run_name,
                "step": self.step,
                "epoch": self.epoch,
                "order": self.order,
                "micro": self.micro,
                "best_loss": self.best_loss,
                "best_epoch": self.best_epoch,
                "epochs_since_best": self.epochs_since_best,
                "best_weights": self.best_weights,
                "module": self.module.trained_state(),
                "optimizer": self.optimizer.state_dict(),
                "generator": self.generator.get_state(),
                "random": torch.get_rng_state(),
                "seconds": self.seconds(),
            }
        )

    def restore(self, state: dict[str, Any]) -> None:
        self.step, self.epoch, self.order = state["step"], state["epoch"], state["order"]
        self.micro = min(self.micro, state.get("micro", self.micro))
        self.best_loss, self.best_epoch = state["best_loss"], state["best_epoch"]
        self.epochs_since_best, self.best_weights = state["epochs_since_best"], state["best_weights"]
        self.module.load_state_dict(state["module"], strict=False)
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
