import pytest

from workers.training.recipe import FINE_TUNE_ALONE, KINDS, TASK_TYPES, Recipe, RecipeInvalid


@pytest.mark.parametrize("task_type", TASK_TYPES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_task_has_defaults_that_survive_a_round_trip(task_type, kind):
    recipe = Recipe.for_task(task_type, kind, seed=7)
    assert Recipe.from_dict(recipe.to_dict()) == recipe
    assert (recipe.task_type, recipe.kind, recipe.seed) == (task_type, kind, 7)


def test_an_incremental_run_is_shorter_than_a_full_one():
    for task_type in TASK_TYPES:
        assert Recipe.for_task(task_type, "incremental").epochs < Recipe.for_task(task_type, "full").epochs


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
        ({"task_type": "regression"}, "No task type is called 'regression'."),
    ],
)
def test_what_cannot_be_trained_with_is_refused_in_a_sentence(change, sentence):
    good = Recipe.for_task("text-classification").to_dict()
    with pytest.raises(RecipeInvalid) as refusal:
        Recipe.from_dict(good | change)
    assert str(refusal.value).startswith(sentence)


def test_a_recipe_without_a_task_is_refused():
    with pytest.raises(RecipeInvalid, match="needs a task type"):
        Recipe.from_dict({"epochs": 3})


def test_a_recipe_saved_before_fine_tuning_still_loads():
    old = {
        name: value
        for name, value in Recipe.for_task("text-classification").to_dict().items()
        if name not in FINE_TUNE_ALONE | {"accumulate"}
    }
    assert Recipe.from_dict(old) == Recipe.for_task("text-classification")


def test_all_weights_learn_slower_than_an_adapter():
    lora, everything = (
        Recipe.for_task("text-classification", "fine-tune", adapter=adapter) for adapter in ("lora", "all")
    )
    assert everything.encoder_learning_rate == lora.encoder_learning_rate / 10
