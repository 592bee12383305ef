"""`manage.py reproduce RUN`: train a run again and say what is the same. Exit status 0 when the weights are, 1 when not."""

import contextlib
import sys
import time
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from apps.cases.simulation.crew import crew
from apps.cases.simulation.waiting import SimulationStopped, Wait
from apps.errors import DomainError
from apps.training.models import Run, RunState
from apps.training.services.reproductions import run_named, run_reproduce

LOOK_EVERY_S = 0.2
COMPARED_WITHIN = timedelta(seconds=120)
REFUSED = 2  # exit status where there is nothing to compare


class Command(BaseCommand):
    help = (
        "Train a completed run again, from the same data version, recipe, seed and base, and compare. The repetition "
        "becomes no model. Exit status: 0 the same weights, 1 other weights, 2 it could not be told."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("run", help="a run's id, PROJECT/NUMBER as in spam-filter/12, or with --project its number")
        parser.add_argument("--project", default="", help="the project's short name; RUN is then a number of it")
        parser.add_argument(
            "--here", action="store_true", help="start the workers for as long as it takes, where none is running"
        )
        parser.add_argument("--wait", type=float, default=120, help="seconds until a worker must have taken it")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            original = run_named(options["run"], project=options["project"])
            with crew() if options["here"] else contextlib.nullcontext():
                run = run_reproduce(run=original, by=None, at=timezone.now())
                self._say(
                    f"Run {run.number} of {run.project.slug} repeats run {run.reproduces and run.reproduces.number}."
                )
                run = self._finished(run, options["wait"])
        except DomainError as refused:
            raise CommandError(refused.message, returncode=REFUSED) from refused
        except SimulationStopped as stopped:
            raise CommandError(str(stopped), returncode=REFUSED) from stopped
        comparison = run.comparison or {}
        for line in lines_of(comparison):
            self._say(line)
        if not comparison.get("weights_equal"):
            sys.exit(1)

    def _finished(self, run: Run, patience_s: float) -> Run:
        """Until it is compared. Raises CommandError where no worker takes it, or it ends without a model."""
        began, wait = timezone.now(), Wait(lambda: f"run {run.number}, which is {run.get_state_display().lower()}")
        while True:
            run.refresh_from_db()
            if run.comparison is not None:
                return run
            if run.state in (RunState.FAILED, RunState.CANCELED):
                raise CommandError(
                    f"Run {run.number} ended without a model: {run.error or run.get_state_display().lower()}",
                    returncode=REFUSED,
                )
            if run.state == RunState.QUEUED and timezone.now() - began > timedelta(seconds=patience_s):
                raise CommandError(
                    f"No worker took run {run.number} within {patience_s:.0f} s. It stays queued: start the console with "
                    "`python manage.py up`, or repeat it with --here.",
                    returncode=REFUSED,
                )
            if run.finished_at and timezone.now() - run.finished_at > COMPARED_WITHIN:
                raise CommandError(
                    f"Run {run.number} completed, but its worker died before it compared.", returncode=REFUSED
                )
            wait.look(attended=False)
            time.sleep(LOOK_EVERY_S)

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def lines_of(comparison: dict[str, Any]) -> list[str]:
    """What is the same and what differs, a line each."""
    said = comparison["predictions"]
    lines = [
        _line("weights", comparison["weights_equal"], comparison["original_digest"][:16], comparison["digest"][:16]),
        f"predictions   {said['equal']:,} of {said['rows']:,} holdout rows get the same answer; probabilities part by "
        f"{said['largest_difference']:.2g} at most"
        if said
        else "predictions   not compared",
    ]
    for name, words in (("code_version", "code"), ("device", "device")):
        then, now = comparison[f"original_{name}"], comparison[name]
        lines.append(_line(words, then == now, then or "unknown", now or "unknown"))
    for group in ("packages", "recipe"):
        differing = comparison[group]
        lines += [f"{group:<12}  {n}: {then} then, {now} now" for n, (then, now) in differing.items()]
        if not differing:
            lines.append(f"{group:<12}  the same")
    lines += [f"run {number}: its model file cannot be read" for number in comparison["unreadable"]]
    return lines


def _line(what: str, same: bool, then: object, now: object) -> str:
    return f"{what:<12}  the same ({now})" if same else f"{what:<12}  {then} then, {now} now"
