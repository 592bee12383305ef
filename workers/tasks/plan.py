"""What the pool is ordered by right now: the newest model that did not fail, or a cold start; which vectors, and why."""

import logging
from collections import Counter
from dataclasses import dataclass, replace

from django.db.models import Q

from apps.evaluation.models import Outcome
from apps.integrations.ports import Unavailable
from apps.labeling.encoders import encoder_of
from apps.labeling.models import Frontier, Label, ScoringPass
from apps.projects.models import Project
from apps.projects.selectors import schema_of
from apps.rules import acquisition
from apps.rules.acquisition import Need, Strategy
from apps.rules.acquisition.phase import evidence_of
from apps.training.models import Run, RunState
from workers.tasks.bundles import bundle_at
from workers.tasks.rows import rows_of
from workers.training.model import Bundle, BundleUnreadable, predict

logger = logging.getLogger(__name__)
CHECKED = 500  # newest answers that a model is checked on; asking takes a moment, and 500 tell 4 points apart
TRIED = 3  # newest models whose file is looked for before the queue goes on without any


@dataclass(frozen=True)
class Plan:
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


def plan_of(project: Project) -> Plan:
    """Decided anew at each scoring, by what is there."""
    start, own = acquisition.STRATEGIES[acquisition.START], acquisition.STRATEGIES[project.queue.strategy]
    run, bundle = _newest_model(project)
    if run is None or bundle is None:
        cold = own if Need.MODEL not in own.needs else start
        return Plan(project, cold, encoder_of(project), "No model has been trained yet.")
    encoder = bundle.encoder or encoder_of(project)
    if Need.MODEL not in own.needs:
        return Plan(project, own, encoder, "", run, bundle)
    phase = acquisition.phase_of(_evidence(project, run, bundle, encoder))
    if phase.chooser == "start":  # a model that is not asked suggests nothing either
        return Plan(project, start, encoder, phase.sentence)
    return Plan(project, own, encoder, phase.sentence, run, bundle)


def plan_again(scoring: ScoringPass) -> Plan:
    """The plan that a pass was opened with, for a task on another machine. Raises Unavailable, BundleUnreadable."""
    strategy = acquisition.STRATEGIES[scoring.strategy]
    plan = Plan(scoring.project, strategy, scoring.encoder, scoring.sentence)
    if scoring.run_number is None:
        return plan
    run = Run.objects.get(project=scoring.project, number=scoring.run_number)
    return replace(plan, run=run, bundle=bundle_at(run.artifact_url))


def _evidence(project: Project, run: Run, bundle: Bundle, encoder: str) -> acquisition.Evidence:
    """The model's guesses at answers that it was not trained on: those since, and the holdout's."""
    names = schema_of(project).names
    counted = Counter(Label.objects.filter(project=project, holdout=False).values_list("label__name", flat=True))
    chose = _model_chose(project)
    unseen = Q(holdout=True) | Q(first_run_number=None) | Q(first_run_number__gt=run.number)
    labels = Label.objects.filter(unseen, project=project, label__name__in=bundle.labels).order_by("-resolved_at")
    answered = list(labels.values_list("example_id", "label__name")[:CHECKED])
    guesses: list[int] = []
    if answered and not chose:  # a model that chose keeps choosing, so nothing has to be asked
        rows = rows_of(project, [pk for pk, _ in answered], encoder=encoder)
        guesses = predict(bundle, rows).argmax(axis=1).tolist()
    truth = [bundle.labels.index(name) for _, name in answered[: len(guesses)]]
    found = evidence_of(guesses, truth, [counted[name] for name in names])
    return replace(found, model_chose=chose)


def _model_chose(project: Project) -> bool:
    """Whether the lane as it stands was ordered by a model's doubt."""
    frontier = Frontier.objects.filter(project=project, run_number__isnull=False).first()
    strategy = acquisition.STRATEGIES.get(frontier.strategy) if frontier else None
    return strategy is not None and Need.MODEL in strategy.needs


def _newest_model(project: Project) -> tuple[Run | None, Bundle | None]:
    runs = Run.objects.filter(project=project, state=RunState.COMPLETED, report__isnull=False)
    for run in runs.exclude(report__outcome=Outcome.FAIL).order_by("-number")[:TRIED]:
        try:
            return run, bundle_at(run.artifact_url)
        except (Unavailable, BundleUnreadable) as gone:
            logger.warning("%s of %s cannot order the queue: %s", run, project, gone)
    return None, None
