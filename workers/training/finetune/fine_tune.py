"""`fine_tune` trains the text encoder together with its head; the model that results reads the new encoder's vectors."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from apps.rules.encoders import ENCODERS
from workers.training.device import device_here
from workers.training.encoders.encoder import DIM
from workers.training.finetune.network import TunedNetwork, tokens_of
from workers.training.finetune.throughput import peak_memory_mb, peak_share
from workers.training.fit.admission import Targets, checked_targets
from workers.training.fit.checkpoint import unpack
from workers.training.fit.loop import fingerprint
from workers.training.fit.memory import out_of_memory
from workers.training.fit.ranks import Ranks
from workers.training.fit.reports import FitResult, Listeners
from workers.training.fit.steps import FitState
from workers.training.fit.without_dynamo import keep_dynamo_out
from workers.training.learners import learner_named
from workers.training.models.bundle import Bundle
from workers.training.models.inputs import TextInput
from workers.training.recipes import FineTuneRecipe
from workers.training.refusals import MemoryTooSmall, RowsUnreadable

LabeledTexts = tuple[Sequence[str], Targets]
EVALUATED = {"cpu": 64, "cuda": 512}  # texts at once: their activations are a thousand times a vector's
MOST_SHOWN = 1000  # of the holdout, for the curve: the whole is encoded after the run, by the verdict


def fine_tune(
    texts: Sequence[str],
    targets: Targets,
    labels: Sequence[str],
    recipe: FineTuneRecipe,
    *,
    resume: bytes | None = None,
    holdout: LabeledTexts | None = None,
    listeners: Listeners | None = None,
    ranks: Ranks | None = None,
    micro: int | None = None,
) -> FitResult:
    """Train on texts (n) with targets (n,); `recipe.encoder` is the name that the new encoder gets, of `tuned_name`.

    It starts from the installed encoder. Among several `ranks` each computes its share of every batch, and the first
    one reports. `micro` is how many texts a process computes at once, where fewer than the recipe's part have to fit.
    Raises what `fit` raises, and TaskNotTuned.
    """
    learner_named(recipe.task_type).refuse_unlearned(FineTuneRecipe)
    if not recipe.encoder or recipe.encoder in ENCODERS:
        raise ValueError(f"{recipe.encoder!r} is not a name for a new encoder.")
    y = checked_targets(texts, targets, labels)
    _refuse_empty(texts)
    try:
        return _fine_tune(texts, y, labels, recipe, resume, holdout, listeners or Listeners(), ranks or Ranks(), micro)
    except (RuntimeError, MemoryError) as fault:
        if out_of_memory(fault) and (ranks is None or ranks.world == 1):
            raise MemoryTooSmall(f"The texts and the model do not fit into the memory: {fault}") from fault
        raise


def _fine_tune(
    texts: Sequence[str],
    y: Tensor,
    labels: Sequence[str],
    recipe: FineTuneRecipe,
    resume: bytes | None,
    holdout: LabeledTexts | None,
    listeners: Listeners,
    ranks: Ranks,
    micro: int | None,
) -> FitResult:
    device = device_here()
    on_gpu = device.type == "cuda"
    if not on_gpu:
        keep_dynamo_out()
    x = tokens_of(texts, recipe.max_length).to(device)
    with torch.random.fork_rng(devices=[device] if on_gpu else []):
        torch.manual_seed(recipe.seed)
        module = TunedNetwork(recipe, len(labels)).to(device)
        _speed_up(module, on_gpu)
        generator = torch.Generator().manual_seed(recipe.seed)
        if ranks.rank:
            torch.manual_seed(recipe.seed + ranks.rank)  # each process drops other units
        training = FitState(module, x, y.to(device), recipe, generator, ranks)
        training.run_name, training.listeners = fingerprint(recipe, labels, y), listeners
        training.micro = min(training.micro, micro or training.micro)
        training.evaluated = EVALUATED[device.type]
        if holdout is not None and len(holdout[0]) and ranks.tells:
            training.holdout = _shown(holdout, recipe, device)
        if resume is not None:
            training.restore(unpack(resume, run=training.run_name))
        training.run()
        measured = _measured(training, module, float(x.ne(0).sum()) / len(x), device)
        divisor = training.temperature()
    head = module.cpu().text_head(recipe).eval()
    bundle = Bundle(tuple(labels), recipe, TextInput(DIM), head, divisor, module.tuned(recipe))
    return FitResult(
        bundle, training.best_epoch, training.epoch, training.stopped, training.step, training.seconds(), measured
    )


def _speed_up(module: TunedNetwork, on_gpu: bool) -> None:
    """bfloat16 and compiled kernels, on a GPU alone: a processor compiles for longer than most runs train."""
    if not on_gpu:
        return
    import torch._dynamo

    torch._dynamo.config.suppress_errors = True  # a system without a compiler goes on without
    module.short = True
    module.vectors = torch.compile(module._vectors, dynamic=True)


def _shown(holdout: LabeledTexts, recipe: FineTuneRecipe, device: torch.device) -> tuple[Tensor, Tensor]:
    texts, targets = holdout
    chosen = np.random.default_rng(recipe.seed).permutation(len(texts))[:MOST_SHOWN]
    known = torch.as_tensor(np.asarray(targets, np.int64)[chosen])
    return tokens_of([texts[int(i)] for i in chosen], recipe.max_length).to(device), known.to(device)


def _measured(
    training: FitState, module: TunedNetwork, tokens_per_text: float, device: torch.device
) -> dict[str, float | int | None]:
    speed, world = training.samples_per_s(), training.ranks.world
    tokens = speed * tokens_per_text
    chip = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    return {
        "tokens_per_s": round(tokens, 1),
        "samples_per_s": round(speed, 1),
        "peak_memory_mb": peak_memory_mb(device),
        "peak_share": peak_share(tokens, module.multiplied(), chip, world),
        "world_size": world,
        "micro_batch": training.micro,
        "weights": sum(p.numel() for p in module.parameters()),
        "weights_trained": sum(p.numel() for p in module.parameters() if p.requires_grad),
    }


def _refuse_empty(texts: Sequence[str]) -> None:
    broken = [place for place, text in enumerate(texts) if not isinstance(text, str) or not text.strip()]
    if broken:
        raise RowsUnreadable(f"{len(broken):,} of {len(texts):,} texts are empty; the first is row {broken[0]}.")
