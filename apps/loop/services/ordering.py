"""What the pool is ordered by right now: the newest model that did not fail, or a cold start; which vectors, and why."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from apps.evaluation.models import Outcome
from apps.labeling.encoders import encoder_of
from apps.labeling.settled import names_of_labels, newest_unseen_by, strategy_of_the_lane
from apps.projects.models import Project
from apps.projects.selectors import schema_of
from apps.rules import acquisition
from apps.rules.acquisition import Need, Strategy
from apps.rules.acquisition.phase import evidence_of
from apps.training.models import Run, RunState

CHECKED = 500  # newest answers that a model is checked on; asking takes a moment, and 500 tell 4 points apart
TRIED = 3  # newest models whose file is looked for before the queue goes on without any


class Scorer(Protocol):
    """A model that may be asked."""

    @property
    def labels(self) -> Sequence[str]: ...

    @property
    def encoder(self) -> str:
        """Whose vectors it reads; empty where it reads the payloads themselves."""


Guess = Callable[[Sequence[int], str], list[int]]  # examples, encoder -> the class index of each


@dataclass(frozen=True)
class PoolOrdering:
    """`run` is None where no model is asked. `encoder` names the vectors that are looked at."""

    strategy: Strategy
    encoder: str
    sentence: str
    run: Run | None = None


def models_to_ask(project: Project) -> Iterable[Run]:
    """Completed runs that failed no gate, newest first, as many as are tried."""
    runs = Run.objects.filter(project=project, state=RunState.COMPLETED, report__isnull=False)
    return runs.exclude(report__outcome=Outcome.FAIL).order_by("-number")[:TRIED]


def choice_of(project: Project, run: Run | None, scorer: Scorer | None, guess: Guess) -> PoolOrdering:
    """Decided anew at each scoring, by what is there."""
    start, own = acquisition.STRATEGIES[acquisition.START], acquisition.STRATEGIES[project.queue.strategy]
    if run is None or scorer is None:
        cold = own if Need.MODEL not in own.needs else start
        return PoolOrdering(cold, encoder_of(project), "No model has been trained yet.")
    encoder = scorer.encoder or encoder_of(project)
    if Need.MODEL not in own.needs:
        return PoolOrdering(own, encoder, "", run)
    phase = acquisition.phase_of(_evidence(project, run, scorer, encoder, guess))
    if phase.chooser == "start":  # a model that is not asked suggests nothing either
        return PoolOrdering(start, encoder, phase.sentence)
    return PoolOrdering(own, encoder, phase.sentence, run)


def _evidence(project: Project, run: Run, scorer: Scorer, encoder: str, guess: Guess) -> acquisition.PhaseEvidence:
    """The model's guesses at answers that it was not trained on: those since, and the holdout's."""
    counted, labels = Counter(names_of_labels(project)), list(scorer.labels)
    chose = _model_chose(project)
    answered = newest_unseen_by(project, run.number, labels, CHECKED)
    # a model that chose keeps choosing, so nothing has to be asked
    guesses = guess([pk for pk, _ in answered], encoder) if answered and not chose else []
    truth = [labels.index(name) for _, name in answered[: len(guesses)]]
    found = evidence_of(guesses, truth, [counted[name] for name in schema_of(project).names])
    return replace(found, model_chose=chose)


def _model_chose(project: Project) -> bool:
    """Whether the lane as it stands was ordered by a model's doubt."""
    strategy = acquisition.STRATEGIES.get(strategy_of_the_lane(project))
    return strategy is not None and Need.MODEL in strategy.needs
