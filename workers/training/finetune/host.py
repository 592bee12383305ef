"""`python -m workers.training.finetune.host FOLDER`: lend this host to fine-tunes that several hosts train together.

The folder is the one that all of them share (FASTLOOP_TRAIN_FOLDER). Each launch that appears there is joined once.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from fastloop_console.machine.lifeline import tied
from workers.training.finetune.launch import LAUNCH, ROOT, Hosts, command, end

LOOK_EVERY_S = 0.5


def join(place: Path) -> int:
    """Take part in the launch of this folder until it ends; torchrun's exit status."""
    hosts = Hosts(**json.loads((place / LAUNCH).read_text()))
    process = subprocess.Popen(
        command(place, hosts), cwd=ROOT, **tied(os.environ), stdin=subprocess.DEVNULL, start_new_session=True
    )
    try:
        while process.poll() is None:
            time.sleep(LOOK_EVERY_S)
            if not place.exists():  # who launched it has gone
                break
        return process.poll() or 0
    finally:
        end(process)


def main(folder: Path) -> None:
    joined = {path.parent for path in folder.glob(f"**/{LAUNCH}")}  # of before: they have begun without this host
    print(f"Waiting for launches in {folder}.", flush=True)
    while True:
        for path in folder.glob(f"**/{LAUNCH}"):
            if path.parent not in joined:
                joined.add(path.parent)
                print(f"{path.parent.name} ended with {join(path.parent)}.", flush=True)
        time.sleep(LOOK_EVERY_S)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
