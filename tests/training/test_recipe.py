import json

import pytest
import safetensors.torch
import torch

from tests.training.recipes import recipe_for
from tests.training.samples import clouds
from workers.training.fit.loop import fingerprint
from workers.training.learners import LEARNERS
from workers.training.learners.text_choice import TEXT_CHOICE
from workers.training.models.bundle import load, predict
from workers.training.models.hashing import features
from workers.training.models.inputs import TextInput
from workers.training.models.linear import HashedInput
from workers.training.recipes import (
    KINDS,
    FineTuneRecipe,
    FullRecipe,
    IncrementalRecipe,
    OnlineRecipe,
    RecipeInvalid,
    TrialRecipe,
    recipe_from,
)

EVERY = [(each, kind) for each in LEARNERS.values() for kind in each.defaults]


@pytest.mark.parametrize(("learner", "kind"), EVERY, ids=lambda x: getattr(x, "name", x))
def test_every_learner_has_defaults_that_survive_a_round_trip(learner, kind):
    recipe = learner.recipe(kind, seed=7)
    assert recipe_from(json.loads(json.dumps(recipe.to_dict()))) == recipe
    assert (type(recipe), recipe.task_type, recipe.seed) == (KINDS[kind], learner.saved_as, 7)


def test_an_incremental_run_is_shorter_than_a_full_one():
    for learner in LEARNERS.values():
        assert learner.recipe("incremental").epochs < learner.recipe("full").epochs


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"lr": 0.1}, "A recipe has no setting called lr."),
        ({"learning_rate": 0}, "learning_rate must lie between 1e-07 and 1, not 0."),
        ({"learning_rate": float("nan")}, "learning_rate must lie between"),
        ({"epochs": 2.5}, "epochs must be a whole number, not 2.5."),
        ({"epochs": True}, "epochs must be a whole number, not True."),
        ({"epochs": "many"}, "epochs must be a whole number, not 'many'."),
        ({"dropout": 1.0}, "dropout must lie between 0 and 0.9, not 1."),
        ({"kind": "partial"}, "A run is incremental, full, fine-tune or online, not 'partial'."),
        ({"adapter": "none"}, "adapter is lora or all, not 'none'."),
        ({"lora_rank": 0}, "lora_rank must lie between 1 and 256, not 0."),
        ({"encoder_layers": 7}, "encoder_layers must lie between 1 and 6, not 7."),
        ({"max_length": 100000}, "max_length must lie between 8 and 512, not 100000."),
        ({"accumulate": 0}, "accumulate must lie between 1 and 4096, not 0."),
    ],
)
def test_what_cannot_be_trained_with_is_refused_in_a_sentence(change, sentence):
    good = recipe_for("text-classification").to_dict()
    with pytest.raises(RecipeInvalid) as refusal:
        recipe_from(good | change)
    assert str(refusal.value).startswith(sentence)
    if "kind" not in change:
        with pytest.raises(RecipeInvalid) as refusal:
            recipe_for("text-classification", **change)
        assert str(refusal.value).startswith(sentence)


def test_a_recipe_without_a_task_is_refused():
    with pytest.raises(RecipeInvalid, match="needs a task type"):
        recipe_from({"epochs": 3})


def test_a_kind_has_its_own_settings_and_no_others():
    full = {"least_steps", "weight_decay", "label_smoothing", "clip_norm", "validation_share", "patience", "accumulate"}
    assert full < set(FullRecipe.names())
    assert set(IncrementalRecipe.names()) - set(FullRecipe.names()) == {"replay_size", "shrink", "perturb"}
    assert {"adapter", "lora_rank", "max_length"} < set(FineTuneRecipe.names()) - set(FullRecipe.names())
    assert not full & set(OnlineRecipe.names())
    assert not hasattr(recipe_for("image-classification"), "lora_rank")


def test_a_trial_is_a_full_run_that_keeps_a_fifth_of_its_rows_apart():
    trial = TEXT_CHOICE.recipe_of(TrialRecipe, seed=3, dropout=0.2)
    assert (trial.kind, trial.validation_share, trial.epochs) == ("full", 0.2, recipe_for("text-classification").epochs)
    with pytest.raises(RecipeInvalid, match="validation_share must lie between"):
        TEXT_CHOICE.recipe_of(TrialRecipe, validation_share=0)


def test_settings_of_another_kind_are_left_where_a_run_became_full():
    bound = recipe_for("text-classification", "incremental", replay_size=7).to_dict()
    again = recipe_for(**{**bound, "kind": "full"})
    assert isinstance(again, FullRecipe) and again.learning_rate == bound["learning_rate"]


def test_all_weights_learn_slower_than_an_adapter():
    lora, everything = (recipe_for("text-classification", "fine-tune", adapter=adapter) for adapter in ("lora", "all"))
    assert everything.encoder_learning_rate == lora.encoder_learning_rate / 10
    asked = recipe_for("text-classification", "fine-tune", adapter="all", encoder_learning_rate=1e-3)
    assert asked.encoder_learning_rate == 1e-3


# What release 0.1 wrote into runs and model files, one of each kind, and what it called their checkpoints.
WRITTEN = {
    "full": (
        '{"task_type": "text-classification", "kind": "full", "encoder": "all-minilm-l6-v2", "seed": 7, "epochs": 15, '
        '"least_steps": 200, "batch_size": 256, "learning_rate": 0.004, "weight_decay": 0.01, "label_smoothing": 0.1, '
        '"clip_norm": 1.0, "hidden": 512, "dropout": 0.5, "replay_size": 1000, "shrink": 1.0, "perturb": 0.0, '
        '"validation_share": 0.1, "patience": 15, "accumulate": 1, "adapter": "lora", "lora_rank": 16, '
        '"encoder_learning_rate": 0.0005, "encoder_dropout": 0.1, "encoder_layers": 6, "max_length": 256, '
        '"report_every_s": 0.25, "checkpoint_every_s": 30.0}',
        "e203edf60deffecc541a3a27aca9be5c",
    ),
    "incremental": (
        '{"task_type": "text-classification", "kind": "incremental", "encoder": "all-minilm-l6-v2", "seed": 7, '
        '"epochs": 4, "least_steps": 32, "batch_size": 256, "learning_rate": 0.001, "weight_decay": 0.01, '
        '"label_smoothing": 0.1, "clip_norm": 1.0, "hidden": 512, "dropout": 0.5, "replay_size": 2000, "shrink": 0.9, '
        '"perturb": 0.001, "validation_share": 0.1, "patience": 3, "accumulate": 1, "adapter": "lora", "lora_rank": 16, '
        '"encoder_learning_rate": 0.0005, "encoder_dropout": 0.1, "encoder_layers": 6, "max_length": 256, '
        '"report_every_s": 0.25, "checkpoint_every_s": 30.0}',
        "87c4f658a1ed8a3f439cf629c535f7f2",
    ),
    "fine-tune": (
        '{"task_type": "text-classification", "kind": "fine-tune", "encoder": "tuned-3", "seed": 7, "epochs": 4, '
        '"least_steps": 0, "batch_size": 32, "learning_rate": 0.002, "weight_decay": 0.01, "label_smoothing": 0.1, '
        '"clip_norm": 1.0, "hidden": 256, "dropout": 0.1, "replay_size": 1000, "shrink": 1.0, "perturb": 0.0, '
        '"validation_share": 0.1, "patience": 2, "accumulate": 1, "adapter": "lora", "lora_rank": 16, '
        '"encoder_learning_rate": 0.0005, "encoder_dropout": 0.1, "encoder_layers": 6, "max_length": 256, '
        '"report_every_s": 2.0, "checkpoint_every_s": 30.0}',
        "e053fcc4ade16d878766829a7a8bf3b4",
    ),
    "online": (
        '{"task_type": "tabular-classification", "kind": "online", "encoder": "", "seed": 0, "epochs": 1, '
        '"least_steps": 200, "batch_size": 256, "learning_rate": 0.5, "weight_decay": 0.01, "label_smoothing": 0.0, '
        '"clip_norm": 1.0, "hidden": 0, "dropout": 0.2, "replay_size": 1000, "shrink": 1.0, "perturb": 0.0, '
        '"validation_share": 0.1, "patience": 8, "accumulate": 1, "adapter": "lora", "lora_rank": 16, '
        '"encoder_learning_rate": 0.0005, "encoder_dropout": 0.1, "encoder_layers": 6, "max_length": 256, '
        '"report_every_s": 0.25, "checkpoint_every_s": 30.0}',
        None,
    ),
}
BEFORE_FINE_TUNING = {"task_type": "image-classification", "epochs": 30, "hidden": 128, "batch_size": 64}


@pytest.mark.parametrize("kind", WRITTEN)
def test_a_recipe_of_release_0_1_loads_with_the_values_that_its_kind_reads(kind):
    old = json.loads(WRITTEN[kind][0])
    recipe = recipe_from(old)
    assert type(recipe) is KINDS[kind]
    assert {name: getattr(recipe, name) for name in recipe.names()} == {name: old[name] for name in recipe.names()}


@pytest.mark.parametrize("kind", ["full", "incremental", "fine-tune"])
def test_a_recipe_is_written_as_in_release_0_1_so_a_checkpoint_of_then_is_still_its_own(kind):
    saved, checkpoint = WRITTEN[kind]
    old = json.loads(saved)
    recipe = TEXT_CHOICE.recipe(kind, seed=7, encoder=old["encoder"])
    assert recipe.to_dict() == old
    assert fingerprint(recipe, ["ham", "spam"], torch.tensor([0, 1, 1, 0])) == checkpoint


def test_a_recipe_saved_before_fine_tuning_still_loads():
    assert recipe_from(BEFORE_FINE_TUNING).epochs == 30


def test_a_model_file_of_release_0_1_answers():
    """A linear head without a recipe's encoder, as the first releases wrote them."""
    recipe = {**json.loads(WRITTEN["full"][0]), "hidden": 0, "encoder": ""}
    about = {"format": 1, "labels": ["ham", "spam"], "recipe": recipe, "preprocessor": {"dim": 16}, "temperature": 1.25}
    weight = torch.zeros(2, 16)
    weight[1, 0] = 1.0
    blob = safetensors.torch.save(
        {"head.weight": weight, "head.bias": torch.zeros(2)}, metadata={"fastloop": json.dumps(about)}
    )
    bundle = load(blob)
    assert (bundle.encoder, bundle.preprocessor, bundle.learner) == ("all-minilm-l6-v2", TextInput(16), TEXT_CHOICE)
    rows = clouds(30)[0]
    assert (predict(bundle, rows).argmax(axis=1) == (rows[:, 0] > 0)).all()


def test_an_online_model_of_release_0_1_answers():
    """A hashed table: one feature with a weight, the constant, and nothing of what was never seen."""
    about = {
        "format": 1,
        "labels": ["no", "yes"],
        "recipe": json.loads(WRITTEN["online"][0]),
        "preprocessor": {"bits": 18, "columns": [["job", 1]], "features": 1, "kind": "hashed"},
        "temperature": 1.0,
    }
    ((index, _),) = features("job", "nurse", 18)
    tensors = {
        "known": torch.tensor([index]),
        "head.weight": torch.tensor([[0.0], [3.0]]),
        "head.bias": torch.tensor([0.0, -1.0]),
    }
    bundle = load(safetensors.torch.save(tensors, metadata={"fastloop": json.dumps(about)}))
    assert isinstance(bundle.recipe, OnlineRecipe) and isinstance(bundle.preprocessor, HashedInput)
    assert predict(bundle, [{"job": "nurse"}, {"job": "pilot"}]).argmax(axis=1).tolist() == [1, 0]
