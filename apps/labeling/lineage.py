"""The labels of a project as they stand, each with what it rests on: what a dataset version is written from."""

from collections import defaultdict

from apps.datasets.versions import VersionRow
from apps.labeling.kept_out import trained_on
from apps.labeling.models import Annotation, AutoLabel, ConsensusMethod, Label, LabelSource, Lane
from apps.projects.models import Project


def labels_now(project: Project) -> list[VersionRow]:
    """Single labels only: no model learns another kind of answer yet. Five queries, whatever the number of labels. Those that
    judge what an open alarm is mended by are not among them."""
    labels = trained_on(Label.objects.filter(project=project, label__isnull=False), project.pk)
    answers, machines = _answers(project), _machines(project)
    shared = _originals(project)
    found = []
    for example_id, name, holdout, resolved_at, source, confidence in labels.values_list(
        "example_id", "label__name", "holdout", "resolved_at", "source", "confidence"
    ):
        answered = shared.get(example_id, (example_id,)) if source == LabelSource.DUPLICATE else (example_id,)
        said = {name for i in answered for name in machines.get(i, ())}
        if confidence is not None:
            said.add(str(ConsensusMethod.DAWID_SKENE))
        rests_on = tuple(sorted(pk for i in answered for pk in answers.get(i, ())))
        found.append(VersionRow(example_id, name, holdout, resolved_at, rests_on, tuple(sorted(said)), source))
    return found


def _answers(project: Project) -> dict[int, list[int]]:
    """By example, the answers that stand: no skip, nothing withdrawn, nothing that was a test of the person."""
    found: dict[int, list[int]] = defaultdict(list)
    stand = Annotation.objects.filter(project=project, withdrawn_at=None, label__isnull=False)
    counted = stand.exclude(assignment__lane=Lane.GOLD).exclude(assignment__planted=True)
    for example_id, pk in counted.values_list("example_id", "pk"):
        found[example_id].append(pk)
    return found


def _machines(project: Project) -> dict[int, set[str]]:
    """By example, whose guess a person saw before the answer, and which batch of auto-labels it was in."""
    found: dict[int, set[str]] = defaultdict(set)
    stand = Annotation.objects.filter(project=project, withdrawn_at=None, label__isnull=False)
    seen = stand.exclude(assignment__suggestion="").exclude(assignment__planted=True)
    for example_id, imported, run_number in seen.values_list(
        "example_id", "assignment__suggestion_source", "assignment__run_number"
    ):
        if imported or run_number:
            found[example_id].add(imported or f"run {run_number}")
    given = AutoLabel.objects.filter(project=project).values_list("example_id", "batch__number")
    for example_id, number in given:
        found[example_id].add(f"auto-labels {number}")
    return found


def _originals(project: Project) -> dict[int, tuple[int, ...]]:
    """For each example whose label is another's: the examples that show the same and were labeled themselves."""
    labels = Label.objects.filter(project=project, label__isnull=False)
    copies = labels.filter(source=LabelSource.DUPLICATE).values_list("example_id", "example__content_digest")
    contents = {content for _, content in copies}
    if not contents:
        return {}
    own: dict[str, list[int]] = defaultdict(list)
    originals = labels.exclude(source=LabelSource.DUPLICATE).filter(example__content_digest__in=contents)
    for content, example_id in originals.values_list("example__content_digest", "example_id"):
        own[content].append(example_id)
    return {example_id: tuple(own[content]) for example_id, content in copies}
