"""What `simulate` takes, refuses and says; the loop itself is played by the bench and the journeys."""

import contextlib
import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.core.management.base import BaseCommand

from apps.cases.management.commands import simulate
from apps.cases.simulation import rounds
from apps.cases.simulation.printing import last_line, last_words, seed_line
from apps.cases.simulation.source import SourceRefused, source_from
from apps.cases.simulation.summary import Mean, Played, by_round, labels_needed, mean_of
from apps.projects.models import Project
from apps.rules.acquisition import DEFAULT, STRATEGIES
from apps.training.models import Trigger


def line(number: int, accuracy: float | None, labels: int | None = None) -> dict[str, Any]:
    seconds = dict.fromkeys(("select", "label", "train", "evaluate", "release"), 0.1)
    return {
        "round": number,
        "labels": labels or 50 * number,
        "accuracy": accuracy,
        "macro_f1": accuracy,
        "log_loss": 0.4,
        "holdout_accuracy": accuracy,
        "seconds": seconds,
        "data_to_deploy_s": 1.0,
        "lap_p90_s": 2.0,
        "run": number,
        "kind": "full",
        "verdict": "pass",
        "released": True,
    }


def played(seed: int, *accuracies: float | None, needed: int | None = None) -> Played:
    return Played(seed, f"p{seed}", tuple(line(n, a) for n, a in enumerate(accuracies, start=1)), needed)


def test_the_interval_is_that_of_students_t() -> None:
    # mean 0.5, s = 0.1, n = 3: 0.5 ± 4.303 * 0.1 / sqrt(3)
    assert mean_of([0.4, 0.5, 0.6]) == Mean(0.5, 0.2516, 0.7484, 3)
    many = mean_of([0.0, 1.0] * 20)
    assert many.low is not None and many.low == pytest.approx(0.5 - 2.0228 * 0.50637 / 40**0.5, abs=2e-4)


def test_an_interval_ends_where_its_values_end() -> None:
    assert mean_of([0.7, 0.8, 0.9]) == Mean(0.8, 0.5516, 1.0, 3)
    assert mean_of([60, 120], digits=1, most=float("inf")) == Mean(90.0, 0.0, 471.2, 2)


def test_one_seed_has_no_interval_and_none_no_mean() -> None:
    assert mean_of([0.7]) == Mean(0.7, None, None, 1, "One seed gives no interval.")
    assert mean_of([]) == Mean(None, None, None, 0, "No seed has a value here.")


def test_a_seed_that_never_reached_the_score_is_not_left_out_of_the_mean() -> None:
    found = labels_needed([played(0, 0.9, needed=100), played(1, 0.8)])
    assert found == Mean(None, None, None, 1, "1 seed of 2 did not reach the score, so a mean would flatter.")
    assert labels_needed([played(0, needed=100), played(1, needed=200)]).mean == 150.0


def test_rounds_that_only_some_seeds_played_are_counted_as_those() -> None:
    found = by_round([played(0, 0.8, 0.9), played(1, None)])
    assert [(x["round"], x["labels"], x["accuracy"]["seeds"]) for x in found] == [(1, 50.0, 1), (2, 100.0, 1)]


def test_the_last_line_of_one_seed_keeps_its_keys() -> None:
    assert last_line([played(0, 0.8, 0.9)], None, 3.2) == {
        "done": True,
        "project": "p0",
        "labels": 100,
        "accuracy": 0.9,
        "seconds": 3.2,
    }


def test_the_last_line_says_what_a_score_took_or_the_best_that_was_reached() -> None:
    reached = last_line([played(0, 0.8, 0.9, needed=100)], 0.85, 3.2)
    assert (reached["labels_needed"], reached["until_score"]) == (100, 0.85)
    missed = last_line([played(0, 0.8, 0.7)], 0.85, 3.2)
    assert (missed["labels_needed"], missed["best_accuracy"], missed["accuracy"]) == (None, 0.8, 0.7)
    assert last_words([played(0, 0.8, 0.7)], 0.85, 3.2)[0] == "0.85 was not reached; the best was 0.8000"
    assert last_words([played(0, 0.9, needed=50)], 0.85, 3.2)[0] == "50 labels needed for 0.85"


def test_the_last_line_of_several_seeds_sums_them_up() -> None:
    found = last_line([played(3, 0.8, 0.9, needed=100), played(4, 0.9, needed=50)], 0.85, 3.2)
    assert (found["project"], found["projects"], found["seeds"]) == ("p4", ["p3", "p4"], 2)
    assert found["labels_needed"]["mean"] == 75.0
    assert [x["accuracy"]["mean"] for x in found["rounds"]] == [0.85, 0.9]
    assert json.loads(json.dumps(found)) == found
    assert seed_line(played(3, 0.8), 0.85) == {
        "seed_done": True,
        "seed": 3,
        "project": "p3",
        "labels": 50,
        "accuracy": 0.8,
        "labels_needed": None,
        "best_accuracy": 0.8,
    }


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--seeds", "0"], "--labels-per-round, --rounds, --annotators and --seeds are at least 1."),
        (["--rounds", "-1"], "--labels-per-round, --rounds, --annotators and --seeds are at least 1."),
        (["--seed", "-1"], "--seed is a whole number from 0 on, not -1."),
        (["--until-score", "95"], "--until-score is an accuracy above 0 and at most 1, 0.95 for 95 %, not 95."),
        (["--until-score", "0"], "not 0."),
        (["--until-score", "nan"], "not nan."),
        (["--until-score", "high"], "invalid float value: 'high'"),
        (["--strategy", "clever"], "There is no strategy “clever”. There are "),
    ],
)
def test_what_cannot_be_played_is_refused_in_a_sentence(arguments: list[str], sentence: str) -> None:
    with pytest.raises(CommandError) as refused:
        call_command("simulate", "digits", *arguments)
    assert sentence in str(refused.value)


def test_a_missing_file_is_refused_before_any_worker_starts() -> None:
    with pytest.raises(CommandError, match=r"There is no file nothing\.csv"):
        call_command("simulate", "nothing.csv")


def test_the_default_is_the_products_and_every_strategy_can_be_named() -> None:
    command: BaseCommand = simulate.Command()
    parser = command.create_parser("manage.py", "simulate")
    assert parser.parse_args(["digits"]).strategy == DEFAULT
    for name in STRATEGIES:
        assert simulate.fault_of(vars(parser.parse_args(["digits", "--strategy", name]))) == ""
    assert "data_to_deploy_s" in parser.format_help() and "95 % t-interval" in parser.format_help()


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> list[rounds.SimulationPlan]:
    """No workers: each seed's rounds reach 0.7, 0.8, 0.9, and stop where the plan says."""
    plans: list[rounds.SimulationPlan] = []

    def play(project: Project, source: object, plan: rounds.SimulationPlan, *, by: object) -> Iterator[dict[str, Any]]:
        plans.append(plan)
        for number, accuracy in enumerate((0.7, 0.8, 0.9)[: plan.rounds], start=1):
            yield line(number, accuracy + plan.seed / 100)
            if rounds.reached(accuracy + plan.seed / 100, plan.until_score):
                return

    @contextlib.contextmanager
    def nobody() -> Iterator[None]:
        yield

    monkeypatch.setattr(simulate, "crew", nobody)
    monkeypatch.setattr(rounds, "play", play)
    return plans


def printed(*arguments: str) -> list[dict[str, Any]]:
    out = io.StringIO()
    call_command("simulate", "digits", *arguments, "--json", stdout=out)
    return [json.loads(text) for text in out.getvalue().splitlines()]


@pytest.mark.django_db
def test_it_stops_at_the_score_and_prints_the_labels_it_took(scripted: list[rounds.SimulationPlan]) -> None:
    *lines, last = printed("--until-score", "0.8", "--rounds", "3")
    assert [x["round"] for x in lines] == [1, 2]
    assert (last["done"], last["labels_needed"], last["best_accuracy"]) == (True, 100, 0.8)


@pytest.mark.django_db
def test_a_score_that_is_not_reached_is_said_and_is_no_error(scripted: list[rounds.SimulationPlan]) -> None:
    *lines, last = printed("--until-score", "0.99", "--rounds", "3")
    assert len(lines) == 3
    assert (last["labels_needed"], last["best_accuracy"]) == (None, 0.9)


@pytest.mark.django_db
def test_each_seed_is_a_project_of_its_own(scripted: list[rounds.SimulationPlan]) -> None:
    *lines, last = printed("--seeds", "2", "--seed", "5", "--rounds", "1", "--labels-per-round", "30")
    assert [plan.seed for plan in scripted] == [5, 6]
    assert [(x["seed"], "seed_done" in x) for x in lines] == [(5, False), (5, True), (6, False), (6, True)]
    assert len(set(last["projects"])) == Project.objects.count() == 2
    assert list(Trigger.objects.values_list("enabled", "new_labels")) == [(False, 30)] * 2
    assert last["rounds"][0]["accuracy"] == {
        "mean": 0.755,
        "low": pytest.approx(0.755 - 12.706 * 0.005, abs=1e-4),
        "reason": "",
        "seeds": 2,
        "high": pytest.approx(0.755 + 12.706 * 0.005, abs=1e-4),
    }


def csv_of(place: Path, splits: Sequence[str]) -> str:
    lines = [f"{n},{'yes' if n % 2 else 'no'},{split},{n},{n % 2}" for n, split in enumerate(splits)]
    place.write_text("\n".join(["id,label,split,age,outcome", *lines]))
    return str(place)


def test_a_validation_split_is_not_learned_from_and_what_is_ignored_is_not_read(tmp_path: Path) -> None:
    path = csv_of(tmp_path / "calls.csv", ["train", "train", "Valid", "dev", "test", "train"])
    found = source_from(path, target="label", ignore=["outcome"], seed=0)
    assert [each.external_id for each in found.train] == ["0", "1", "5"]
    assert [each.external_id for each in found.test] == ["4"]
    assert all(set(each.values) == {"id", "age"} for each in (*found.train, *found.test))


def test_without_a_test_split_the_validation_rows_are_the_test(tmp_path: Path) -> None:
    path = csv_of(tmp_path / "calls.csv", ["train", "validation", "train", "validation"])
    found = source_from(path, target="label", ignore=[], seed=0)
    assert [each.external_id for each in found.train] == ["0", "2"]
    assert [each.external_id for each in found.test] == ["1", "3"]


def test_a_source_with_nothing_to_learn_from_is_refused(tmp_path: Path) -> None:
    path = csv_of(tmp_path / "calls.csv", ["test", "valid", "test"])
    with pytest.raises(SourceRefused, match=r"No row of .* is learned from"):
        source_from(path, target="label", ignore=[], seed=0)
