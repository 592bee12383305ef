"""What turns rows and answers into a model: one object for a payload kind and an answer kind."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from workers.training.learners.outputs import Outputs
from workers.training.learners.requests import RequestTensor, everything_fits
from workers.training.models.inputs import Input
from workers.training.models.linear import Linear
from workers.training.recipes import FineTuneRecipe, FullRecipe, Recipe, RecipeInvalid, kind_named, settings_checked
from workers.training.refusals import TaskNotTuned

R = TypeVar("R", bound=Recipe)


@dataclass(frozen=True, slots=True, kw_only=True)
class Learner:
    """Everything that differs between what is learned from. Called by its pair: text-choice, image-choice.

    `defaults` are the settings by kind of run, those of a full run under all others; a kind that is not there is refused.
    Recipes, model files and states of online learners hold `saved_as`, which never changes.
    """

    payload: str  # name of the payload kind
    answer: str  # name of the answer kind
    title: str
    saved_as: str
    reads_vectors: bool  # of an encoder, not the payloads themselves
    input: type[Input]  # rows to tensors, and the network that fits them
    linear: type[Linear]  # the same rows for the online learner
    payloads: Callable[[Sequence[RequestTensor]], list[Any]]  # of a request; raises RequestUnreadable
    outputs: Outputs
    defaults: Mapping[str, Mapping[str, Any]]
    online_part: int = 5000  # labels that an online learner's state is written for
    first_encoder: str = ""  # of models saved before recipes named theirs
    fits: Callable[[Any, list[Any], bool], None] = everything_fits  # payloads, to what a model was trained on

    @property
    def name(self) -> str:
        return f"{self.payload}-{self.answer}"

    def recipe(self, kind: str, **settings: Any) -> Recipe:
        """Good defaults, and what was asked for in their place. Raises RecipeInvalid, TaskNotTuned."""
        return self.recipe_of(kind_named(kind), **settings)

    def recipe_of(self, kind: type[R], **settings: Any) -> R:
        """As `recipe`, for one kind. Raises what it raises."""
        self.refuse_unlearned(kind)
        settings_checked(settings)
        defaults = {**self.defaults[FullRecipe.kind], **self.defaults[kind.kind], **kind.following(settings)}
        return kind.from_own({**defaults, **settings, "task_type": self.saved_as})

    def refuse_unlearned(self, kind: type[Recipe]) -> None:
        """Raises TaskNotTuned, RecipeInvalid."""
        if kind.kind in self.defaults:
            return
        if issubclass(kind, FineTuneRecipe):
            raise TaskNotTuned(
                f"Fine-tuning changes the encoder of texts, and {self.saved_as} has none that learns. Train in full instead."
            )
        raise RecipeInvalid(f"{self.saved_as} has no {kind.kind} runs. It has {', '.join(self.defaults)}.")

    def input_saved(self, fields: Mapping[str, Any]) -> Input:
        """What `to_json` of an input wrote; a linear one names its kind. Raises ValueError."""
        if "kind" not in fields:
            return self.input.from_json(fields)
        if fields["kind"] != self.linear.saved_kind:
            raise ValueError(f"{self.name} reads rows as {self.linear.saved_kind}, not as {fields['kind']}.")
        return self.linear.from_json(fields)
