"""The order of the pool with the model in hand: `apps.loop.services.ordering` decides, this reads the files and asks."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from apps.integrations.ports import Unavailable
from apps.labeling.models import ScoringPass
from apps.loop.services.ordering import choice_of, models_to_ask
from apps.projects.models import Project
from apps.rules import acquisition
from apps.rules.acquisition import Need, Strategy
from apps.training.models import Run
from apps.training.selectors import run_numbered
from workers.tasks.bundles import bundle_today
from workers.tasks.rows import rows_of
from workers.training.models.bundle import Bundle, BundleUnreadable, predict

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ScoringPlan:
    """`bundle` and `run` are None while there is no model, or none to trust. `encoder` names the vectors that are looked at."""

    project: Project
    strategy: Strategy
    encoder: str
    sentence: str
    run: Run | None = None
    bundle: Bundle | None = None

    @property
    def seed(self) -> int:
        return self.run.number if self.run else 0

    @property
    def asks_model(self) -> bool:
        return self.bundle is not None and Need.MODEL in self.strategy.needs

    @property
    def reads_rows(self) -> bool:
        """Whether the model reads the payloads themselves, not their vectors."""
        return self.asks_model and self.bundle is not None and not self.bundle.encoder


def plan_of(project: Project) -> ScoringPlan:
    run, bundle = _newest_model(project)

    def guess(example_ids: Sequence[int], encoder: str) -> list[int]:
        assert bundle is not None
        rows = rows_of(project, np.asarray(example_ids, np.int64), encoder=encoder)
        guessed: list[int] = predict(bundle, rows).argmax(axis=1).tolist()
        return guessed

    found = choice_of(project, run, bundle, guess)
    asked = bundle if found.run is not None else None
    return ScoringPlan(project, found.strategy, found.encoder, found.sentence, found.run, asked)


def plan_again(scoring: ScoringPass) -> ScoringPlan:
    """The plan that a pass was opened with, for a task on another machine. Raises Unavailable, BundleUnreadable."""
    strategy = acquisition.STRATEGIES[scoring.strategy]
    plan = ScoringPlan(scoring.project, strategy, scoring.encoder, scoring.sentence)
    if scoring.run_number is None:
        return plan
    run = run_numbered(scoring.project, scoring.run_number)
    return replace(plan, run=run, bundle=bundle_today(run))


def _newest_model(project: Project) -> tuple[Run | None, Bundle | None]:
    for run in models_to_ask(project):
        try:
            return run, bundle_today(run)
        except (Unavailable, BundleUnreadable) as gone:
            logger.warning("%s of %s cannot order the queue: %s", run, project, gone)
    return None, None
