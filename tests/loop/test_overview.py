"""The loop page: who sees what, which button is filled, and what the clock says."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import User
from apps.evaluation.models import Outcome
from apps.loop import selectors
from apps.loop.cards.card import Action, Card, State
from apps.loop.services import lap_close, serving_confirmed
from apps.monitoring.services import alert_raise
from apps.projects.access import permissions_of
from apps.projects.models import Project
from apps.releases.models import Promotion
from apps.releases.services import model_promote
from apps.slas.models import Lap
from apps.training.models import Run, RunState
from tests.conftest import NOON
from tests.rows import HOUR, labeled, model, started, trained

As = Callable[[User], Client]
STAGES = ("collect", "annotate", "train", "evaluate", "deploy", "monitor")


def seen_by(user: User, project: Project, at: object = None) -> selectors.Overview:
    return selectors.overview(project, at or timezone.now(), permissions_of(user, project.pk))  # type: ignore[arg-type]


def cards(user: User, project: Project, at: object = None) -> dict[str, Card]:
    return {c.stage: c for c in seen_by(user, project, at).cards}


def test_an_empty_project_says_what_to_do_first_and_fills_that_button(as_: As, mona: User, project: Project) -> None:
    page = as_(mona).get(reverse("loop:overview", args=[project.pk]))
    assert page.status_code == 200 and "What to do first" in page.text
    assert page.text.count("btn primary") == 1
    assert cards(mona, project)["collect"].action == Action("Add examples", "datasets:data", filled=True)


def test_the_band_has_six_stages_for_whoever_looks_after_the_loop(
    as_: As, rosa: User, lin: User, project: Project
) -> None:
    for user in (rosa, lin):
        page = as_(user).get(reverse("loop:overview", args=[project.pk]))
        assert all(f'id="stage-{stage}"' in page.text for stage in STAGES)


def test_an_annotator_sees_only_the_stage_they_work_in(as_: As, ada: User, lin: User, project: Project) -> None:
    labeled(project)
    model_promote(version=model(project), reason="", by=lin, at=NOON)
    alert_raise(project=project, kind="drift", title="Drift", detail="ham rose", check=None, at=NOON)
    found = seen_by(ada, project)
    assert [c.stage for c in found.cards if not c.is_hidden] == ["annotate"]
    assert (found.clock, found.activity, found.alert) == (None, None, None)
    page = as_(ada).get(reverse("loop:overview", args=[project.pk])).text
    assert [words for words in ("ham rose", "v1 serves", "<h2>Activity</h2>") if words in page] == []


@pytest.mark.parametrize("name", ["clock", "activity"])
def test_a_fragment_shows_an_annotator_nothing_that_the_page_hides(
    as_: As, ada: User, project: Project, name: str
) -> None:
    assert as_(ada).get(reverse(f"loop:{name}", args=[project.pk])).status_code == 403


@pytest.mark.parametrize("name", ["overview", "band", "clock", "activity", "running"])
def test_mallory_learns_nothing(as_: As, mallory: User, lin: User, project: Project, name: str) -> None:
    url = reverse(f"loop:{name}", args=[project.pk])
    assert as_(mallory).get(url).status_code == 404
    assert as_(lin).get(url).status_code == 200


def test_at_most_one_button_is_filled_and_it_is_where_time_is_lost(lin: User, project: Project) -> None:
    labeled(project)
    model(project)
    at = NOON + 30 * HOUR
    filled = [c.stage for c in seen_by(lin, project, at).cards if c.action and c.action.filled]
    assert filled == ["train"]  # 30 h of a 6 h limit; the candidate waits 30 h of 24 h


def test_nothing_is_filled_when_nothing_waits(lin: User, project: Project) -> None:
    labeled(project)
    trained(project)
    project.resolved_labels.update(first_run_number=1)
    assert not any(c.action and c.action.filled for c in seen_by(lin, project).cards)


def test_a_late_stage_names_its_limit(lin: User, project: Project) -> None:
    labeled(project)
    state = cards(lin, project, NOON + 7 * HOUR)["train"].state
    assert state == State("warn", "Late, limit 6 h")
    assert cards(lin, project, NOON + 5 * HOUR)["train"].state.words == "Nearly late, limit 6 h"  # type: ignore[union-attr]
    assert cards(lin, project, NOON + HOUR)["train"].state == State("ok", "On time")


def test_an_open_run_is_watched_instead_of_started_again(lin: User, project: Project) -> None:
    labeled(project)
    run = started(project)
    card = cards(lin, project)["train"]
    assert card.action and (card.action.words, card.action.subject_id) == ("Watch run 1", run.pk)
    assert card.state == State("running", "Run 1, queued")


def test_an_inconclusive_candidate_is_no_lure(lin: User, project: Project) -> None:
    labeled(project)
    model(project, Outcome.INCONCLUSIVE)
    project.resolved_labels.update(first_run_number=1)
    card = cards(lin, project, NOON + 40 * HOUR)["deploy"]
    assert card.action and card.action.words == "Promote v1" and not card.action.filled


def test_a_manager_is_not_offered_what_only_engineers_do(mona: User, project: Project) -> None:
    labeled(project)
    model(project)
    found = cards(mona, project)
    assert [found[s].action.words for s in ("train", "deploy")] == ["See the runs", "Open models"]  # type: ignore[union-attr]


def test_lin_starts_a_run_from_the_band(as_: As, lin: User, project: Project) -> None:
    labeled(project)
    answer = as_(lin).post(reverse("loop:run_start", args=[project.pk]))
    run = Run.objects.get()
    assert answer.status_code == 302
    assert answer["Location"] == reverse("lineage:run", args=[project.pk, run.pk])
    assert (run.state, run.kind, run.started_by) == (RunState.QUEUED, "full", lin)


def test_a_run_without_labels_is_refused_in_words(as_: As, lin: User, project: Project) -> None:
    answer = as_(lin).post(reverse("loop:run_start", args=[project.pk]))
    assert answer.status_code == 422 and "There is nothing to train on" in answer.text
    assert not Run.objects.exists()


def test_mona_cannot_start_a_run(as_: As, mona: User, project: Project) -> None:
    labeled(project)
    assert as_(mona).post(reverse("loop:run_start", args=[project.pk])).status_code == 403
    assert not Run.objects.exists()


def served(project: Project, lin: User) -> Promotion:
    """Labels, a run that saw them, a promotion an hour after the verdict, answering 2 s later."""
    labeled(project, 20)
    version = model(project)
    project.resolved_labels.filter(holdout=False).update(first_run_number=version.run.number)
    promotion = model_promote(version=version, reason="", by=lin, at=NOON + HOUR)
    serving_confirmed(promotion_id=promotion.pk, at=NOON + HOUR + timedelta(seconds=2))
    return Promotion.objects.get(pk=promotion.pk)


def test_a_lap_adds_up_and_counts_exactly_the_labels_its_model_saw(project: Project, lin: User) -> None:
    served(project, lin)
    lap = Lap.objects.get()
    assert lap.labels == 16
    assert lap.p90_s == pytest.approx(2 * 3600 + 2, abs=0.01)  # collected an hour before noon, answered an hour after
    assert sum(t.total_s for t in lap.stages.all()) == lap.p90_s
    assert not project.resolved_labels.filter(holdout=False, served_at=None).exists()


def test_a_lap_closes_once(project: Project, lin: User) -> None:
    promotion = served(project, lin)
    assert lap_close(promotion) is None
    serving_confirmed(promotion_id=promotion.pk, at=NOON + 5 * HOUR)
    assert Lap.objects.count() == 1


def test_a_roll_back_closes_no_lap(project: Project, lin: User, as_: As) -> None:
    served(project, lin)
    labeled(project, 10)
    second = model(project, at=NOON + 2 * HOUR, base=Run.objects.get())
    model_promote(version=second, reason="", by=lin, at=NOON + 3 * HOUR)
    as_(lin).post(reverse("releases:roll_back", args=[project.pk]), {"expected_champion": 2})
    serving_confirmed(promotion_id=Promotion.objects.latest("pk").pk, at=NOON + 4 * HOUR)
    assert Lap.objects.count() == 1


def test_the_page_shows_the_last_lap_on_the_ruler(as_: As, mona: User, lin: User, project: Project) -> None:
    served(project, lin)
    page = as_(mona).get(reverse("loop:overview", args=[project.pk])).text
    assert "Data to deploy, lap 1" in page and "under the 72 h target" in page
    assert "This ruler ends at" in page  # 2 h are under 5 % of 72 h


def test_the_open_lap_is_in_the_stage_where_its_labels_wait(lin: User, project: Project) -> None:
    labeled(project)
    found = seen_by(lin, project, NOON + 2 * HOUR).clock
    assert found and found.open_lap
    assert (found.open_lap.stage, found.open_lap.age_s, found.open_lap.in_stage_s) == ("train", 3 * 3600, 2 * 3600)
    assert "needs 3 finished laps" in found.open_lap.no_forecast
    version = model(project)
    project.resolved_labels.filter(holdout=False).update(first_run_number=version.run.number)
    found = seen_by(lin, project, NOON + 2 * HOUR).clock
    assert found and found.open_lap and found.open_lap.stage == "deploy"
    assert sum(p.total_s for p in found.open_lap.parts) == pytest.approx(found.open_lap.age_s)
