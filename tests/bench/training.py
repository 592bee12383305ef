"""Training: incremental against full, online learning, the seconds before a run's first step, streams in time order."""

import argparse
from collections.abc import Callable
from typing import Any

from django.core.management.base import CommandError

from tests.bench import _increments, _overhead, _prequential, _vw, _whole

Say = Callable[[str], None]
PARTS = ("increments", "online", "overhead", "prequential")
ON_REQUEST = ("finetune", "whole")  # minutes on a processor


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seeds", type=int, default=_increments.SEEDS, help="pairs of an incremental and a full run")
    parser.add_argument(
        "--part", action="append", choices=(*PARTS, *ON_REQUEST), help="only this one; may be given again"
    )


def run(*, say: Say, seeds: int = _increments.SEEDS, part: list[str] | None = None) -> dict[str, Any]:
    if seeds < 1:
        raise CommandError("--seeds is at least 1.")
    wanted = part or PARTS
    found: dict[str, Any] = {}
    if "overhead" in wanted:  # first, while nothing of ours has warmed or filled the machine
        found |= _overhead.measure(say)
    if "increments" in wanted:
        found |= _increments.measure(say, seeds=seeds)
    if "online" in wanted:
        found |= _vw.measure(say)
    if "prequential" in wanted:
        found |= _prequential.measure(say)
    if "whole" in wanted:
        found |= _whole.measure(say)
    if "finetune" in wanted:
        from tests.bench import _finetune

        found |= _finetune.measure(say)
    return found
