"""What every learner can do: learn a toy set, be saved, answer a request, suggest a label, and say how unsure it is."""

import ast
import base64
from dataclasses import FrozenInstanceError, dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from apps.projects import task_types
from apps.rules.registry import PluginRefused
from fastloop_console.machine.env import ROOT
from tests.training.samples import clouds, digits, table
from workers.predictor import answers
from workers.training.fit.loop import fit
from workers.training.learners import LEARNERS, learner_for, learner_named
from workers.training.models.bundle import dump, load, predict
from workers.training.online.learning import begin, bundle_of, learn
from workers.training.refusals import NothingLearnsThis

every = pytest.mark.parametrize("learner", LEARNERS.values(), ids=lambda each: each.name)
FAST = {"epochs": 3, "least_steps": 150, "hidden": 32, "batch_size": 32, "learning_rate": 5e-3}
TASKS = list(task_types.TASK_TYPES.values())
TEXTS = ["my card is lost", "a letter", "the weather"]


@dataclass(frozen=True)
class Toy:
    """What a learner is tried on: rows as its model takes them, targets, and a request for the first three."""

    rows: Any
    targets: Any
    labels: tuple[str, ...]
    request: list[SimpleNamespace]


def tensor(name: str, data: list[Any]) -> SimpleNamespace:
    return SimpleNamespace(name=name, shape=[len(data)], data=data)


def text() -> Toy:
    rows, targets = clouds(400)
    return Toy(rows, targets, ("a", "b", "c"), [tensor("text", TEXTS)])


def image() -> Toy:
    rows, targets = digits(400)
    sent = [base64.b64encode(row).decode() for row in rows[:3]]
    return Toy(rows, targets, tuple("0123456789"), [tensor("image", sent)])


def tabular() -> Toy:
    rows, targets = table(400)
    names = list(rows[0])
    return Toy(rows, targets, ("no", "yes"), [tensor(name, [row[name] for row in rows[:3]]) for name in names])


TOYS = {"text-choice": text, "image-choice": image, "tabular-choice": tabular}


@pytest.fixture(scope="module")
def learned() -> Any:
    """The toy and the model of each learner, trained once."""
    found: dict[str, Any] = {}

    def of(learner):
        if learner.name not in found:
            toy = TOYS[learner.name]()
            recipe = learner.recipe("full", **{**FAST, "encoder": "toy" if learner.reads_vectors else ""})
            found[learner.name] = toy, fit(toy.rows, toy.targets, toy.labels, recipe).bundle
        return found[learner.name]

    return of


def test_a_task_type_learns_exactly_where_a_learner_is_registered():
    for task_type in TASKS:
        pair = f"{task_type.payload.name}-{task_type.answer.name}"
        assert task_type.learns is (pair in LEARNERS), task_type.name
        if task_type.learns:
            assert task_type.reads_vectors is LEARNERS[pair].reads_vectors, task_type.name


def test_each_learner_is_what_some_task_type_is_learned_by():
    found = {learner_for(each).name for each in TASKS if each.learns}
    assert found == set(LEARNERS)


def test_what_nobody_learns_is_refused_in_a_sentence():
    with pytest.raises(NothingLearnsThis, match="No model learns “Text, named spans” here"):
        learner_for(task_types.get("text-spans"))
    with pytest.raises(NothingLearnsThis, match="No learner is saved as 'regression'"):
        learner_named("regression")


def test_workers_name_no_pair_and_no_task_type_outside_its_learner():
    names = {each.saved_as for each in LEARNERS.own} | {each.name for each in LEARNERS.own}
    found = [
        f"{path.relative_to(ROOT)}: {node.value}"
        for path in (ROOT / "workers").rglob("*.py")
        if path.parent.name != "learners"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and node.value in names
    ]
    assert found == []


def test_no_two_learners_are_saved_under_one_name():
    saved = [each.saved_as for each in LEARNERS.values()]
    assert len(set(saved)) == len(saved)
    assert [learner_named(name) for name in saved] == list(LEARNERS.values())


@every
def test_it_is_frozen_named_by_its_pair_and_has_a_file_of_its_own(learner):
    assert learner.name == f"{learner.payload}-{learner.answer}" and LEARNERS[learner.name] is learner
    assert (ROOT / f"workers/training/learners/{learner.name.replace('-', '_')}.py").exists()
    with pytest.raises((FrozenInstanceError, TypeError)):
        learner.payload = "another"


@every
def test_it_learns_a_toy_set_above_chance(learner, learned):
    toy, bundle = learned(learner)
    places, confidence = learner.outputs.top(predict(bundle, toy.rows))
    majority = np.bincount(toy.targets).max() / len(toy.targets)
    assert (places == toy.targets).mean() > (1 + majority) / 2
    assert (confidence > 0).all() and (confidence <= 1).all()


@every
def test_probabilities_sum_to_one_and_say_how_unsure_the_answer_is(learner, learned):
    toy, bundle = learned(learner)
    found = predict(bundle, toy.rows)
    assert found.sum(axis=1) == pytest.approx(np.ones(len(found)), abs=1e-5)
    unsure = learner.outputs.uncertainty(found)
    assert np.isfinite(unsure).all() and (unsure >= 0).all() and unsure.max() > unsure.min()


@every
def test_a_saved_model_says_the_same(learner, learned):
    toy, bundle = learned(learner)
    again = load(dump(bundle))
    assert again.learner is learner and again.labels == bundle.labels
    assert np.array_equal(predict(again, toy.rows), predict(bundle, toy.rows))


@every
def test_the_predictor_reads_its_request_and_answers_in_order(learner, learned, monkeypatch):
    toy, bundle = learned(learner)
    vectors = SimpleNamespace(encode=lambda texts: toy.rows[[TEXTS.index(text) for text in texts]])
    monkeypatch.setattr(answers, "encoder_ready", lambda name: vectors)
    found = answers.answer(bundle, SimpleNamespace(inputs=toy.request))
    assert np.allclose(found, predict(bundle, toy.rows[:3]), atol=1e-3)
    labels, confidence = answers.summary(bundle, found)
    assert set(labels) <= set(toy.labels) and len(labels) == len(confidence) == 3


UNREADABLE = {  # beside a request without an input, and one of nothing
    "text-choice": [[tensor("text", [""])], [tensor("text", [3])], [tensor("image", ["a"])]],
    "image-choice": [[tensor("image", ["%"])], [tensor("text", ["a"])]],
    "tabular-choice": [[tensor("age", [30.0, 40.0]), tensor("job", ["nurse"])]],
}


@every
def test_a_request_that_it_cannot_read_is_refused_in_a_sentence(learner, learned):
    for inputs in [[], [tensor(learner.payload, [])], *UNREADABLE[learner.name]]:
        with pytest.raises(answers.InvalidInput, match=r"[A-Z].+\."):
            answers.answer(learned(learner)[1], SimpleNamespace(inputs=inputs))


@every
def test_what_it_suggests_at_the_desk_is_a_known_label(learner, learned):
    toy, bundle = learned(learner)
    row = predict(bundle, toy.rows[:1])[0]
    offered = learner.outputs.suggestion(row, toy.labels)
    assert offered["suggestion"] == toy.labels[int(row.argmax())]
    assert set(offered["nearest"]) <= set(toy.labels)
    assert learner.outputs.suggestion(np.full(len(row), np.nan), toy.labels) == {}


@every
def test_its_measures_and_its_comparison_are_told_with_intervals(learner, learned):
    toy, bundle = learned(learner)
    truth, found = toy.targets, predict(bundle, toy.rows)
    measured = learner.outputs.measure(truth, found, seed=1, n_classes=len(toy.labels))
    assert measured.accuracy.low <= measured.accuracy.value <= measured.accuracy.high
    same = learner.outputs.compare(truth, found, found, seed=1)
    assert same["accuracy"].value == 0


@every
def test_it_learns_online_and_the_state_becomes_a_model(learner):
    toy = TOYS[learner.name]()
    state = learn(begin(learner.saved_as, toy.labels), toy.rows, toy.targets).state
    bundle = load(dump(bundle_of(state)))
    places, _ = learner.outputs.top(predict(bundle, toy.rows))
    assert (places == toy.targets).mean() > 0.7
    assert learner.online_part > 0


@every
def test_its_incremental_run_starts_from_its_full_one(learner, learned):
    toy, base = learned(learner)
    recipe = learner.recipe("incremental", **{**FAST, "encoder": base.recipe.encoder})
    found = fit(toy.rows, toy.targets, toy.labels, recipe, base=base).bundle
    assert found.preprocessor == base.preprocessor and found.recipe.kind == "incremental"


PACKAGE = """
    from dataclasses import replace
    from workers.training.learners.text_choice import TEXT_CHOICE

    PAIR_CHOICE = replace(TEXT_CHOICE, payload="pair", saved_as="acme-preference", title="Two texts, the better one")
    TAKEN = replace(TEXT_CHOICE, saved_as="acme-text")
"""


def test_an_installed_package_teaches_a_pair_that_nobody_learned(install):
    preference = task_types.get("text-preference")
    with pytest.raises(NothingLearnsThis):
        learner_for(preference)
    install(LEARNERS, "acme-learners", PACKAGE, point="acme_learners:PAIR_CHOICE")
    found = learner_for(preference)
    assert (found.name, learner_named("acme-preference")) == ("pair-choice", found)
    assert found.recipe("full").task_type == "acme-preference"


def test_a_package_cannot_replace_a_learner(install):
    install(LEARNERS, "acme-learners", PACKAGE, point="acme_learners:TAKEN")
    with pytest.raises(PluginRefused, match=r"package “acme-learners” .* “text-choice” already"):
        learner_for(task_types.get("text-classification"))
