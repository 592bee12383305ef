"""Who learns what: one learner for a payload kind and an answer kind. A new one is one more file and one line here."""

from typing import Any, Protocol

from apps.rules.registry import Registry
from workers.training.learners.image_choice import IMAGE_CHOICE
from workers.training.learners.learner import Learner
from workers.training.learners.outputs import Outputs
from workers.training.learners.requests import RequestUnreadable
from workers.training.learners.tabular_choice import TABULAR_CHOICE
from workers.training.learners.text_choice import TEXT_CHOICE
from workers.training.refusals import NothingLearnsThis

__all__ = ["LEARNERS", "Learner", "Outputs", "RequestUnreadable", "learner_for", "learner_named"]

LEARNERS = Registry[Learner](
    group="fastloop.learners", noun="learner", kind=Learner, own=(TEXT_CHOICE, IMAGE_CHOICE, TABULAR_CHOICE)
)


class _Named(Protocol):
    @property
    def name(self) -> str: ...


class LearnedFrom(Protocol):
    """A task type, as far as a learner has to know it."""

    @property
    def title(self) -> Any: ...
    @property
    def payload(self) -> _Named: ...
    @property
    def answer(self) -> _Named: ...


def learner_for(task_type: LearnedFrom) -> Learner:
    """Raises NothingLearnsThis."""
    found = LEARNERS.get(f"{task_type.payload.name}-{task_type.answer.name}")
    if found is None:
        raise NothingLearnsThis(f"No model learns “{task_type.title}” here. Learned are {_known()}.")
    return found


def learner_named(saved_as: str) -> Learner:
    """By what recipes, model files and states call it. Raises NothingLearnsThis."""
    found = next((each for each in LEARNERS.values() if each.saved_as == saved_as), None)
    if found is None:
        raise NothingLearnsThis(f"No learner is saved as {saved_as!r}. Learned are {_known()}.")
    return found


def _known() -> str:
    return ", ".join(f"{each.saved_as} ({each.title})" for each in LEARNERS.values())
