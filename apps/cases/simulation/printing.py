"""What `simulate` prints: JSON lines for programs, a table for readers."""

from dataclasses import asdict
from typing import Any

from apps.cases.simulation import summary
from apps.cases.simulation.summary import Mean, Played
from apps.rules.words import count

LINES = """\
With --json every line is one object; null stands for what was not measured.
  a round         round, labels (given so far), accuracy, macro_f1, log_loss (of the champion's answers on test rows),
                  holdout_accuracy, seconds (by stage: select, label, train, evaluate, release), data_to_deploy_s,
                  lap_p90_s, run, kind, verdict, released; with --seeds also seed
  a seed's end    only with --seeds: seed_done, seed, project, labels, accuracy, and with --until-score labels_needed
                  (null where it was not reached) and best_accuracy
  the last line   done, project, labels, accuracy, seconds; with --until-score also until_score, labels_needed,
                  best_accuracy. With --seeds: project, labels and accuracy are those of the last seed, and beside them
                  stand seeds, projects, rounds (each: round, labels, accuracy as mean, low, high, seeds, reason; the
                  interval is a 95 % t-interval) and, with --until-score, labels_needed as mean, low, high, seeds, reason
"""
HEAD = "round labels accuracy macro-F1 log-loss holdout  select  label  train  judge release  data-to-deploy  verdict"


def row(line: dict[str, Any]) -> str:
    seconds = line["seconds"]
    shown = [
        f"{line[k]:8.4f}" if line[k] is not None else "    none"
        for k in ("accuracy", "macro_f1", "log_loss", "holdout_accuracy")
    ]
    stages = "  ".join(f"{seconds[k]:5.2f}" for k in ("select", "label", "train", "evaluate", "release"))
    deploy = f"{line['data_to_deploy_s']:6.2f} s" if line["data_to_deploy_s"] is not None else "not released"
    return f"{line['round']:5} {line['labels']:6} {' '.join(shown)}  {stages}  {deploy:>14}  {line['verdict']}"


def seed_line(played: Played, score: float | None) -> dict[str, Any]:
    """The object that ends one of several seeds."""
    line: dict[str, Any] = {
        "seed_done": True,
        "seed": played.seed,
        "project": played.project,
        "labels": played.labels,
        "accuracy": played.accuracy,
    }
    if score is not None:
        line |= {"labels_needed": played.labels_needed, "best_accuracy": played.best_accuracy}
    return line


def last_line(played: list[Played], score: float | None, took: float) -> dict[str, Any]:
    """The object that ends `--json`."""
    last = played[-1]
    line: dict[str, Any] = {
        "done": True,
        "project": last.project,
        "labels": last.labels,
        "accuracy": last.accuracy,
        "seconds": took,
    }
    if score is not None:
        line |= {"until_score": score, "labels_needed": last.labels_needed, "best_accuracy": last.best_accuracy}
    if len(played) > 1:
        line |= {"seeds": len(played), "projects": [p.project for p in played], "rounds": summary.by_round(played)}
        if score is not None:
            best = [p.best_accuracy for p in played if p.best_accuracy is not None]
            line |= {"labels_needed": asdict(summary.labels_needed(played)), "best_accuracy": max(best, default=None)}
    return line


def last_words(played: list[Played], score: float | None, took: float) -> list[str]:
    """The same for a reader."""
    found = []
    if len(played) > 1:
        found += [
            f"round {x['round']}: {x['labels']:g} labels, accuracy {_mean(Mean(**x['accuracy']))}"
            for x in summary.by_round(played)
        ]
        if score is not None:
            needed = summary.labels_needed(played)
            found.append(f"labels needed for {score:g}: {_mean(needed)}")
    elif score is not None:
        best, needed_labels = played[0].best_accuracy, played[0].labels_needed
        reached = f"{count(needed_labels, 'label')} needed for {score:g}" if needed_labels is not None else ""
        found.append(reached or f"{score:g} was not reached; the best was {'none' if best is None else f'{best:.4f}'}")
    slugs = ", ".join(p.project for p in played)
    return [*found, f"done in {took} s, project{'s' if len(played) > 1 else ''} {slugs}"]


def _mean(found: Mean) -> str:
    if found.mean is None:
        return found.reason
    if found.low is None:
        return f"{found.mean:g}"
    return f"{found.mean:g}, 95 % interval {found.low:g} to {found.high:g} over {count(found.seeds, 'seed')}"
