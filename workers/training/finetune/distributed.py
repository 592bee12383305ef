"""One process of a fine-tune that several train: `torchrun ... -m workers.training.finetune.distributed FOLDER THREADS`.

It knows no database. The folder holds the texts and the recipe; the first process writes there what it reports, its
checkpoints and the model. Who launched it reads them, see `launch`.
"""

import json
import sys
import time
import traceback
import uuid
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from apps.rules.training_report import TrainingReport
from workers.training.device import device_here
from workers.training.finetune.fine_tune import fine_tune
from workers.training.fit.memory import out_of_memory
from workers.training.fit.ranks import Ranks
from workers.training.fit.reports import Listeners
from workers.training.models.bundle import dump
from workers.training.recipes import FineTuneRecipe, recipe_from
from workers.training.refusals import Canceled

JOB, EVENTS, ALIVE, RESULT = "job.json", "events.jsonl", "alive", "model.safetensors"
ABANDONED_S = 30.0  # without a sign of who launched it, a process ends: nobody would keep what it learns


def main(folder: Path, threads: int) -> None:
    torch.set_num_threads(threads)
    if torch.cuda.is_available():
        torch.cuda.set_device(torch.distributed.get_node_local_rank())
    torch.distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    ranks = Ranks(torch.distributed.get_rank(), torch.distributed.get_world_size())
    micro = [0]
    try:
        trained(folder, ranks, micro)
    except Exception as fault:
        told = {
            "kind": "memory" if out_of_memory(fault) else type(fault).__name__,
            "sentence": str(fault),
            "refusal": isinstance(fault, ValueError | Canceled),
            "traceback": traceback.format_exc(),
            "micro": micro[0],
        }
        put(folder / f"fault-{ranks.rank}.json", json.dumps(told).encode())
        raise SystemExit(1) from fault
    finally:
        torch.distributed.destroy_process_group()


def trained(folder: Path, ranks: Ranks, micro: list[int]) -> None:
    """Train as the job says; the first process leaves the model and the line that tells of it."""
    job = json.loads((folder / JOB).read_text())
    recipe = recipe_from(job["recipe"])
    assert isinstance(recipe, FineTuneRecipe)
    resume = (folder / job["resume"]).read_bytes() if job["resume"] else None
    shown = job["holdout"]
    micro[0] = job["micro"] or -(-recipe.batch_size // recipe.accumulate // ranks.world)
    result = fine_tune(
        job["texts"],
        job["targets"],
        job["labels"],
        recipe,
        resume=resume,
        ranks=ranks,
        micro=micro[0],
        holdout=(shown["texts"], shown["targets"]) if shown else None,
        listeners=_listeners(folder),
    )
    _refuse_unequal(result.bundle.tuned.tensors if result.bundle.tuned else {}, ranks)
    if not ranks.tells:
        return
    put(folder / RESULT, dump(result.bundle))
    told = {name: getattr(result, name) for name in ("best_epoch", "epochs_run", "stopped", "steps", "seconds")}
    tell(folder, result={**told, "measured": dict(result.measured)})


def _refuse_unequal(tensors: Any, ranks: Ranks) -> None:
    """All processes must end with equal weights, or they did not train one model."""
    own = float(sum(tensor.double().abs().sum() for tensor in tensors.values()))
    first = ranks.agreed(own, device_here())
    if abs(own - first) > 1e-9 * abs(first):
        raise RuntimeError(f"Process {ranks.rank} ended with other weights than the first: {own} and {first}.")


def _listeners(folder: Path) -> Listeners:
    def keep(blob: bytes) -> None:
        name = f"checkpoint-{uuid.uuid4().hex[:8]}.pt"
        put(folder / name, blob)
        tell(folder, checkpoint=name)

    def report(found: TrainingReport) -> None:
        tell(folder, report=asdict(found))

    return Listeners(report, keep, lambda sentence: tell(folder, notice=sentence), _abandoned(folder))


def _abandoned(folder: Path) -> Callable[[], bool]:
    return lambda: time.time() - (folder / ALIVE).stat().st_mtime > ABANDONED_S


def tell(folder: Path, **event: Any) -> None:
    with (folder / EVENTS).open("a") as lines:
        lines.write(json.dumps(event) + "\n")


def put(path: Path, content: bytes) -> None:
    """Whole or not at all."""
    partial = path.with_suffix(".partial")
    partial.write_bytes(content)
    partial.replace(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
