"""Task types that no model learns yet: nothing pretends otherwise."""

import pytest

from apps.loop.services.runs import triggers_check
from apps.training.models import Run
from apps.training.services.runs import NoLearner, run_start
from tests.conftest import NOON


def test_a_run_of_spans_is_refused_in_words_and_the_trigger_stays_quiet(make_project, lin):
    project = make_project("text-spans", labels=("PER", "ORG"))
    with pytest.raises(NoLearner, match="No model learns “text, named spans” here"):
        run_start(project=project, kind="full", trigger="Lin asked.", base_run=None, by=lin, at=NOON)
    assert triggers_check(at=NOON) == []
    assert not Run.objects.exists()


def test_the_runs_page_says_that_no_model_learns_this(make_project, as_, lin):
    project = make_project("text-spans", labels=("PER", "ORG"))
    page = as_(lin).get(f"/projects/{project.pk}/runs/").content.decode()
    assert "No model learns this kind of answer here yet" in page
