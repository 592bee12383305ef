"""Who becomes champion, who never does, and what a second click does."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.audit.models import Event
from apps.evaluation.models import Outcome
from apps.projects.models import Project
from apps.releases.models import Alias, ModelVersion, Promotion
from apps.releases.selectors import candidate_of, champion_of, rolled_back_of
from apps.releases.services import (
    AlreadyChampion,
    GateClosed,
    NothingToRollBackTo,
    candidate_register,
    model_promote,
    model_roll_back,
    serving_confirm,
)
from tests.conftest import NOON
from tests.rows import labeled, model

As = Callable[[User], Client]
REASON = "The customer needs the new label today."
HX = {"HX-Request": "true"}


@pytest.fixture
def labels(project: Project) -> None:
    labeled(project)


def promote_url(project: Project, version_id: int) -> str:
    return reverse("releases:promote", args=[project.pk, version_id])


@pytest.mark.usefixtures("labels")
def test_a_passed_candidate_becomes_champion(as_: As, lin: User, project: Project) -> None:
    version = model(project)
    assert candidate_of(project) == version
    assert as_(lin).post(promote_url(project, version.pk)).status_code == 302
    assert champion_of(project) == version
    assert candidate_of(project) is None
    assert Event.objects.filter(verb="model.promoted").count() == 1


@pytest.mark.usefixtures("labels")
def test_a_failed_model_is_refused_with_its_gate(as_: As, lin: User, project: Project) -> None:
    version = model(project, Outcome.FAIL)
    answer = as_(lin).post(promote_url(project, version.pk), headers=HX)
    assert answer.status_code == 409
    assert "failed its gate “It is not worse than the champion”" in answer.text
    assert champion_of(project) is None and not Promotion.objects.exists()


@pytest.mark.usefixtures("labels")
def test_a_failed_model_is_no_candidate(project: Project, lin: User) -> None:
    version = model(project, Outcome.FAIL)
    assert candidate_of(project) is None
    with pytest.raises(GateClosed):
        model_promote(version=version, reason=REASON, by=lin, at=NOON)


@pytest.mark.usefixtures("labels")
@pytest.mark.parametrize("reason", ["", "looks fine", " " * 40])
def test_an_inconclusive_model_needs_a_written_reason(as_: As, lin: User, project: Project, reason: str) -> None:
    version = model(project, Outcome.INCONCLUSIVE)
    answer = as_(lin).post(promote_url(project, version.pk), {"reason": reason}, headers=HX)
    assert answer.status_code == 422
    assert "at least 20 characters" in answer.text
    assert champion_of(project) is None


@pytest.mark.usefixtures("labels")
def test_with_a_reason_an_inconclusive_model_serves_and_the_reason_is_kept(
    as_: As, lin: User, project: Project
) -> None:
    version = model(project, Outcome.INCONCLUSIVE)
    assert as_(lin).post(promote_url(project, version.pk), {"reason": REASON}).status_code == 302
    assert champion_of(project) == version
    assert Event.objects.get(verb="model.promoted").after["reason"] == REASON


@pytest.mark.usefixtures("labels")
def test_promoting_twice_is_one_promotion_and_a_refusal_in_words(as_: As, lin: User, project: Project) -> None:
    version, browser = model(project), as_(lin)
    browser.post(promote_url(project, version.pk), headers=HX)
    second = browser.post(promote_url(project, version.pk), headers=HX)
    assert second.status_code == 409
    assert "v1 is champion already; nothing was changed." in second.text
    assert Promotion.objects.count() == 1


@pytest.mark.usefixtures("labels")
def test_htmx_is_told_to_load_the_page_after_a_promotion(as_: As, lin: User, project: Project) -> None:
    answer = as_(lin).post(promote_url(project, model(project).pk), headers=HX)
    assert answer.headers["HX-Redirect"] == reverse("releases:models", args=[project.pk])


@pytest.mark.usefixtures("labels")
def test_mona_may_look_but_not_promote(as_: As, mona: User, project: Project) -> None:
    version = model(project)
    assert as_(mona).get(reverse("releases:models", args=[project.pk])).status_code == 200
    answer = as_(mona).post(promote_url(project, version.pk))
    assert answer.status_code == 403 and "engineer or admin" in answer.text
    assert champion_of(project) is None


@pytest.mark.usefixtures("labels")
def test_mallory_learns_nothing_and_changes_nothing(as_: As, mallory: User, project: Project) -> None:
    version = model(project)
    assert as_(mallory).get(reverse("releases:models", args=[project.pk])).status_code == 404
    assert as_(mallory).post(promote_url(project, version.pk)).status_code == 404
    assert champion_of(project) is None


def test_a_version_of_another_project_cannot_be_promoted_here(
    as_: As, lin: User, make_project: Callable[..., Project]
) -> None:
    mine, other = make_project(), make_project()
    labeled(other)
    version = model(other)
    assert as_(lin).post(promote_url(mine, version.pk)).status_code == 404
    assert not Alias.objects.filter(name="champion").exists()


def two_champions(project: Project, lin: User) -> None:
    labeled(project)
    first = model(project)
    model_promote(version=first, reason="", by=lin, at=NOON + timedelta(hours=1))
    second = model(project, at=NOON + timedelta(hours=2), base=first.run)
    model_promote(version=second, reason="", by=lin, at=NOON + timedelta(hours=3))


def test_a_roll_back_gives_the_crown_to_whom_the_champion_replaced(as_: As, lin: User, project: Project) -> None:
    two_champions(project, lin)
    answer = as_(lin).post(
        reverse("releases:roll_back", args=[project.pk]), {"expected_champion": 2, "reason": "worse"}
    )
    assert answer.status_code == 302
    assert champion_of(project).number == 1  # type: ignore[union-attr]


def test_rolling_back_twice_from_an_old_page_is_refused(as_: As, lin: User, project: Project) -> None:
    two_champions(project, lin)
    url, form = reverse("releases:roll_back", args=[project.pk]), {"expected_champion": 2, "reason": "A drill."}
    as_(lin).post(url, form, headers=HX)
    second = as_(lin).post(url, form, headers=HX)
    assert second.status_code == 409 and "The champion is v1 now, not v2." in second.text
    assert champion_of(project).number == 1  # type: ignore[union-attr]
    assert Promotion.objects.count() == 3


def test_a_roll_back_that_does_not_say_what_it_saw_is_refused(as_: As, lin: User, project: Project) -> None:
    two_champions(project, lin)
    assert as_(lin).post(reverse("releases:roll_back", args=[project.pk]), {}).status_code == 422
    assert champion_of(project).number == 2  # type: ignore[union-attr]


@pytest.mark.parametrize("reason", ["", "   "])
def test_a_roll_back_wants_a_reason(as_: As, lin: User, project: Project, reason: str) -> None:
    two_champions(project, lin)
    form = {"expected_champion": 2, "reason": reason}
    answer = as_(lin).post(reverse("releases:roll_back", args=[project.pk]), form, headers=HX)
    assert answer.status_code == 422 and "Say why v2 is taken back" in answer.text
    assert champion_of(project).number == 2  # type: ignore[union-attr]


def rolled_back(project: Project, lin: User) -> ModelVersion:
    """The second champion, after a roll-back to the first."""
    two_champions(project, lin)
    at = NOON + timedelta(hours=4)
    model_roll_back(project=project, reason="Just a drill.", expected_champion=2, by=lin, at=at)
    return ModelVersion.objects.get(project=project, number=2)


def test_a_rolled_back_model_is_marked_and_its_button_is_plain(as_: As, lin: User, project: Project) -> None:
    rolled_back(project, lin)
    page = " ".join(as_(lin).get(reverse("releases:models", args=[project.pk])).text.split())
    day = NOON + timedelta(hours=4)
    assert page.count(f"rolled back {day.day} {day:%b}: Just a drill.") == 2  # beside the candidate and in the list
    assert '<summary class="btn"> Promote v2' in page and '<summary class="btn primary"> Promote v2' not in page


def test_what_was_rolled_back_serves_again_only_with_a_written_reason(as_: As, lin: User, project: Project) -> None:
    version = rolled_back(project, lin)
    refused = as_(lin).post(promote_url(project, version.pk), {"reason": "again"}, headers=HX)
    assert refused.status_code == 422 and "v2 was rolled back: “Just a drill.”" in refused.text
    assert champion_of(project).number == 1  # type: ignore[union-attr]
    assert as_(lin).post(promote_url(project, version.pk), {"reason": REASON}).status_code == 302
    assert champion_of(project) == version and rolled_back_of(project) == {}


def test_the_loop_does_not_offer_again_what_was_rolled_back(as_: As, lin: User, project: Project) -> None:
    rolled_back(project, lin)
    assert "Promote v2" not in as_(lin).get(reverse("loop:overview", args=[project.pk])).text


def test_the_first_champion_has_nothing_to_roll_back_to(project: Project, lin: User) -> None:
    labeled(project)
    model_promote(version=model(project), reason="", by=lin, at=NOON)
    with pytest.raises(NothingToRollBackTo):
        model_roll_back(project=project, reason="", expected_champion=1, by=lin, at=NOON)


def test_without_a_champion_there_is_nothing_to_roll_back(project: Project, lin: User) -> None:
    with pytest.raises(NothingToRollBackTo, match="No model serves yet"):
        model_roll_back(project=project, reason="", expected_champion=None, by=lin, at=NOON)


def test_a_promotion_is_confirmed_once(project: Project, lin: User) -> None:
    labeled(project)
    promotion = model_promote(version=model(project), reason="", by=lin, at=NOON)
    assert serving_confirm(promotion_id=promotion.pk, at=NOON + timedelta(seconds=2)) is True
    assert serving_confirm(promotion_id=promotion.pk, at=NOON + timedelta(hours=1)) is False
    promotion.refresh_from_db()
    assert promotion.serves_after_s == 2.0
    assert Event.objects.filter(verb="model.serving").count() == 1


def test_a_run_registered_twice_is_one_version(project: Project) -> None:
    labeled(project)
    version = model(project)
    assert candidate_register(run=version.run, report=version.report, at=NOON) == version


def test_the_champion_cannot_be_promoted_again(project: Project, lin: User) -> None:
    labeled(project)
    version = model(project)
    model_promote(version=version, reason="", by=lin, at=NOON)
    with pytest.raises(AlreadyChampion):
        model_promote(version=version, reason="", by=lin, at=NOON)
