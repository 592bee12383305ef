"""Which encoders a project's examples need vectors of: a change of encoder happens beside the queue, not instead of it."""

from datetime import datetime

from apps.evaluation.models import Outcome
from apps.features.selectors import default_for, encoder_named
from apps.features.shards import shards_retire, shards_sweep
from apps.labeling.encoders import encoder_of
from apps.projects.models import Project
from apps.projects.selectors import projects_in_use
from apps.releases.models import Alias, AliasName
from apps.releases.selectors import champion_of
from apps.training.models import OPEN_STATES, Run, RunKind, RunState
from apps.work.alone import alone


def encoders_needed(project: Project) -> list[str]:
    """That of the model which orders the queue, those of champion, candidate and open runs, then the project's own."""
    runs = Run.objects.filter(project=project)
    judged = runs.filter(state=RunState.COMPLETED, report__isnull=False).exclude(report__outcome=Outcome.FAIL)
    scoring = judged.order_by("-number").first()
    ours = Alias.objects.filter(project=project, name__in=AliasName.values)  # others are names and serve nobody
    served = [alias.version.run for alias in ours.select_related("version__run")]
    opened = list(
        runs.filter(state__in=OPEN_STATES).exclude(kind=RunKind.FINE_TUNE)
    )  # whose encoder is still to be made
    models = [*([scoring] if scoring else []), *served, *opened]
    return list(dict.fromkeys([*(encoder_of_run(run) for run in models), encoder_of(project)]))


def encoder_of_run(run: Run) -> str:
    """Runs from before recipes named an encoder used the first of their task type, as models that read none still do."""
    return str(run.recipe.get("encoder") or default_for(run.project.task_type))


def encoder_wanted(project: Project) -> str:
    """The encoder of the next model: the champion's where a run fine-tuned it, else the project's own.

    A person who has chosen another encoder for the project since that run has the last word.
    """
    own, champion = encoder_of(project), champion_of(project)
    name = encoder_of_run(champion.run) if champion else own
    row = encoder_named(name)
    if row is None or row.run_id is None:
        return own
    tuned = Run.objects.filter(pk=row.run_id, project=project).first()
    return name if tuned is not None and tuned.measured.get("project_encoder") == own else own


def vectors_sweep(*, at: datetime) -> None:
    """Remove shards of encoders that no model needs any more, and files that no manifest names."""
    for project in projects_in_use():
        with alone("the vectors", project):
            shards_retire(project_id=project.pk, needed=set(encoders_needed(project)))
    shards_sweep(at=at)
