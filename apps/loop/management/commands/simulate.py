"""`manage.py simulate SOURCE`: the whole loop, headless, on real data."""

import json
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from apps.errors import DomainError
from apps.loop.simulation import people, rounds
from apps.loop.simulation.crew import crew
from apps.loop.simulation.source import Source, SourceRefused, source_from
from apps.projects.models import Project
from apps.rules.acquisition import DEFAULT, STRATEGIES
from apps.training.models import RunKind


class Command(BaseCommand):
    help = "Play rounds of the loop with scripted people who know the truth, through the same services as the browser."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("source", help="digits, or a Parquet, CSV or JSONL file with a label column")
        parser.add_argument("--strategy", choices=sorted(STRATEGIES), default=DEFAULT)
        parser.add_argument("--labels-per-round", type=int, default=50)
        parser.add_argument("--rounds", type=int, default=5)
        parser.add_argument("--annotators", type=int, default=3)
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--kind", choices=RunKind.values, default=RunKind.INCREMENTAL)
        parser.add_argument("--target", default="label", help="the label column")
        parser.add_argument("--ignore", default="", help="columns the model must not see, by comma")
        parser.add_argument(
            "--json", action="store_true", help="one JSON line a round and one at the end, nothing else"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if min(options["labels_per_round"], options["rounds"], options["annotators"]) < 1:
            raise CommandError("--labels-per-round, --rounds and --annotators are at least 1.")
        try:
            source = source_from(
                options["source"], target=options["target"],
                ignore=[c for c in options["ignore"].split(",") if c], seed=options["seed"],
            )  # fmt: skip
            with crew():
                self._play(source, options)
        except (SourceRefused, rounds.SimulationStopped) as refused:
            raise CommandError(str(refused)) from refused
        except DomainError as refused:
            raise CommandError(refused.message) from refused

    def _play(self, source: Source, options: dict[str, Any]) -> None:
        began, engineer = time.perf_counter(), people.engineer()
        project = rounds.project_from(source, name=_name(source), strategy=options["strategy"], by=engineer)
        plan = rounds.Plan(
            strategy=options["strategy"], labels_per_round=options["labels_per_round"], rounds=options["rounds"],
            annotators=options["annotators"], seed=options["seed"], kind=options["kind"],
        )  # fmt: skip
        if not options["json"]:
            self.stdout.write(
                f"{project.name}: {len(source.train):,} to label, {len(source.test):,} to report on, {len(source.labels)} labels\n"
                "round labels accuracy macro-F1 log-loss holdout  select  label  train  judge release  data-to-deploy  verdict"
            )
        line: dict[str, Any] = {}
        for line in rounds.play(project, source, plan, by=engineer):
            self.stdout.write(json.dumps(line) if options["json"] else _row(line))
            self.stdout.flush()
        summary = {
            "done": True,
            "project": project.slug,
            "labels": line.get("labels", 0),
            "accuracy": line.get("accuracy"),
            "seconds": round(time.perf_counter() - began, 1),
        }
        self.stdout.write(
            json.dumps(summary) if options["json"] else f"done in {summary['seconds']} s, project {project.slug}"
        )


def _name(source: Source) -> str:
    base = f"simulate {source.name} {timezone.now():%Y-%m-%d %H:%M:%S}"
    return base if not Project.objects.filter(name=base).exists() else f"{base}.{timezone.now():%f}"


def _row(line: dict[str, Any]) -> str:
    seconds = line["seconds"]
    shown = [
        f"{line[k]:8.4f}" if line[k] is not None else "    none"
        for k in ("accuracy", "macro_f1", "log_loss", "holdout_accuracy")
    ]
    stages = "  ".join(f"{seconds[k]:5.2f}" for k in ("select", "label", "train", "evaluate", "release"))
    deploy = f"{line['data_to_deploy_s']:6.2f} s" if line["data_to_deploy_s"] is not None else "not released"
    return f"{line['round']:5} {line['labels']:6} {' '.join(shown)}  {stages}  {deploy:>14}  {line['verdict']}"
