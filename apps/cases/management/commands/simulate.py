"""`manage.py simulate SOURCE`: the whole loop, headless, on real data."""

import json
import math
import time
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser, DjangoHelpFormatter
from django.utils import timezone

from apps.cases.simulation import people, rounds
from apps.cases.simulation.crew import crew
from apps.cases.simulation.printing import HEAD, LINES, last_line, last_words, row, seed_line
from apps.cases.simulation.source import SimulationSource, SourceRefused, source_from
from apps.cases.simulation.summary import Played
from apps.errors import DomainError
from apps.projects.models import Project
from apps.rules.acquisition import DEFAULT, STRATEGIES
from apps.training.models import RunKind


class KeepsLines(DjangoHelpFormatter, RawDescriptionHelpFormatter):
    """Keeps the lines of the epilog as they are."""


class Command(BaseCommand):
    help = "Play rounds of the loop with scripted people who know the truth, through the same services as the browser."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, epilog=LINES, formatter_class=KeepsLines, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("source", help="digits, or a Parquet, CSV or JSONL file with a label column")
        parser.add_argument("--strategy", default=DEFAULT, help=f"one of {', '.join(sorted(STRATEGIES))}")
        parser.add_argument("--labels-per-round", type=int, default=50)
        parser.add_argument("--rounds", type=int, default=5)
        parser.add_argument("--annotators", type=int, default=3)
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--seeds", type=int, default=1, help="play so many seeds, from --seed on, and sum them up")
        parser.add_argument(
            "--until-score", type=float, help="stop at this test accuracy, 0.95 for 95 %%, and say the labels it took"
        )
        parser.add_argument("--kind", choices=RunKind.values, default=RunKind.INCREMENTAL)
        parser.add_argument("--target", default="label", help="the label column")
        parser.add_argument("--ignore", default="", help="columns the model must not see, by comma")
        parser.add_argument("--json", action="store_true", help="one JSON object a line, as below, and nothing else")

    def handle(self, *args: Any, **options: Any) -> None:
        fault = fault_of(options)
        if fault:
            raise CommandError(fault)
        seeds = range(options["seed"], options["seed"] + options["seeds"])
        try:
            first = _source(options, seeds[0])
            if options["until_score"] is not None and not first.test:
                raise SourceRefused(f"{first.name} has no test rows, so no score can be reached.")
            with crew():
                self._play_all(first, options, seeds)
        except (SourceRefused, rounds.SimulationStopped) as refused:
            raise CommandError(str(refused)) from refused
        except DomainError as refused:
            raise CommandError(refused.message) from refused

    def _play_all(self, first: SimulationSource, options: dict[str, Any], seeds: range) -> None:
        began, played, several = time.perf_counter(), list[Played](), len(seeds) > 1
        for seed in seeds:
            source = first if seed == seeds[0] else _source(options, seed)
            played.append(self._play(source, options, seed, several=several))
            if several and options["json"]:
                self._say(json.dumps(seed_line(played[-1], options["until_score"])))
        took = round(time.perf_counter() - began, 1)
        if options["json"]:
            self._say(json.dumps(last_line(played, options["until_score"], took)))
            return
        for line in last_words(played, options["until_score"], took):
            self._say(line)

    def _play(self, source: SimulationSource, options: dict[str, Any], seed: int, *, several: bool) -> Played:
        engineer, plan = people.engineer(), _plan(options, seed)
        name = _name(source, f" seed {seed}" if several else "")
        project = rounds.project_from(
            source, name=name, strategy=plan.strategy, by=engineer, labels_per_round=plan.labels_per_round
        )
        if not options["json"]:
            self._say(
                f"{project.name}: {len(source.train):,} to label, {len(source.test):,} to report on, "
                f"{len(source.labels)} labels\n{HEAD}"
            )
        lines = []
        for line in rounds.play(project, source, plan, by=engineer):
            lines.append({**line, "seed": seed} if several else line)
            self._say(json.dumps(lines[-1]) if options["json"] else row(line))
        needed = next((x["labels"] for x in lines if rounds.reached(x["accuracy"], plan.until_score)), None)
        return Played(seed, project.slug, tuple(lines), needed)

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def fault_of(options: dict[str, Any]) -> str:
    """What cannot be played, in a sentence; empty where all is well."""
    if min(options["labels_per_round"], options["rounds"], options["annotators"], options["seeds"]) < 1:
        return "--labels-per-round, --rounds, --annotators and --seeds are at least 1."
    if options["seed"] < 0:
        return f"--seed is a whole number from 0 on, not {options['seed']}."
    if options["strategy"] not in STRATEGIES:
        return f"There is no strategy “{options['strategy']}”. There are {', '.join(sorted(STRATEGIES))}."
    score = options["until_score"]
    if score is not None and not (math.isfinite(score) and 0 < score <= 1):
        return f"--until-score is an accuracy above 0 and at most 1, 0.95 for 95 %, not {score:g}."
    return ""


def _source(options: dict[str, Any], seed: int) -> SimulationSource:
    return source_from(
        options["source"], target=options["target"], ignore=[c for c in options["ignore"].split(",") if c], seed=seed
    )


def _plan(options: dict[str, Any], seed: int) -> rounds.SimulationPlan:
    return rounds.SimulationPlan(
        strategy=options["strategy"],
        labels_per_round=options["labels_per_round"],
        rounds=options["rounds"],
        annotators=options["annotators"],
        seed=seed,
        kind=options["kind"],
        until_score=options["until_score"],
    )


def _name(source: SimulationSource, which: str) -> str:
    base = f"simulate {source.name} {timezone.now():%Y-%m-%d %H:%M:%S}{which}"
    return base if not Project.objects.filter(name=base).exists() else f"{base}.{timezone.now():%f}"
