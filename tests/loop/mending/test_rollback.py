"""A release under suspicion is taken back: proposed or by itself, once, and nothing that is not suspected."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from apps.accounts.models import User
from apps.audit.models import Event
from apps.errors import DomainError
from apps.loop.closing.services import project_archive
from apps.loop.mending.services import link_do
from apps.loop.models import Mending, MendingLink
from apps.monitoring.models import Alert
from apps.monitoring.services import alert_resolve
from apps.projects.models import Project
from apps.projects.policies.services import policy_set
from apps.releases.models import ModelVersion, Promotion, PromotionKind, Rollout
from apps.releases.registry.rules import release_rules_set
from apps.releases.rollouts.policies import RELEASE_POLICY
from apps.releases.rollouts.services import release_start
from apps.releases.selectors import champion_of
from apps.rules.rollouts.policy import policy_of
from tests import rows
from tests.labeling.conftest import at_once
from tests.loop.mending.conftest import HOUR, mend, step

Served, Raise, Does = Callable[..., ModelVersion], Callable[..., Alert], Callable[..., None]
AUTO = {"mode": "auto"}
SECOND = timedelta(seconds=1)


def champion(project: Project) -> int:
    found = champion_of(project)
    assert found is not None
    return found.number


def backs(project: Project) -> int:
    return Promotion.objects.filter(project=project, kind=PromotionKind.ROLL_BACK).count()


def test_a_young_release_is_proposed_to_be_taken_back_and_one_click_does_it(
    project: Project, served: Served, alarm: Raise, now: datetime, lin: User
) -> None:
    served(90), served(2)
    alert = alarm(model=2)
    mend(now)
    assert step(alert, "rollback") == ("proposed", "v2 was released 2h before the alarm: go back to v1.")
    assert champion(project) == 2
    link_do(project=project, alert_id=alert.pk, link=MendingLink.ROLLBACK, by=lin, at=now)
    assert champion(project) == 1 and step(alert, "rollback") == ("done", "v2 was taken back; v1 serves again.")
    told = Event.objects.get(verb="alert.followed")
    assert told.subject == f"alert {alert.pk}" and told.after == {"link": "rollback", "version": 1}
    assert f"Alarm {alert.pk}, Drift" in Promotion.objects.filter(kind=PromotionKind.ROLL_BACK).get().reason
    with pytest.raises(DomainError, match="done already"):
        link_do(project=project, alert_id=alert.pk, link=MendingLink.ROLLBACK, by=lin, at=now)
    assert backs(project) == 1


def test_by_itself_it_waits_for_no_second_person_and_happens_once(
    project: Project, served: Served, alarm: Raise, does: Does, now: datetime, mona: User
) -> None:
    served(90), served(2)
    release_rules_set(project=project, approval="second-person", alias_roles={}, by=mona, at=now)
    does(rollback=AUTO)
    alert = alarm(model=2)
    for later in range(3):
        mend(now + later * SECOND)
    assert champion(project) == 1 and backs(project) == 1 and step(alert, "rollback")[0] == "done"


def test_of_two_alarms_in_one_second_one_takes_back_and_the_other_says_so(
    project: Project, served: Served, alarm: Raise, does: Does, now: datetime
) -> None:
    served(200), served(90), served(2)
    does(rollback=AUTO)
    first, second = alarm(model=3), alarm(kind="loss", model=3)
    mend(now)
    assert champion(project) == 2 and backs(project) == 1, "not two versions back"
    words = "v2 serves by now, and the alarm is about v3: nothing is taken back."
    assert step(first, "rollback")[0] == "done" and step(second, "rollback") == ("nothing", words)


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_one_moment_take_back_once(
    project: Project, served: Served, alarm: Raise, does: Does, now: datetime
) -> None:
    served(200), served(90), served(2)
    does(rollback=AUTO)
    alarm(model=3)
    assert at_once(*[lambda: mend(now)] * 3) == []
    assert champion(project) == 2 and backs(project) == 1


def test_a_warning_only_proposes(project: Project, served: Served, alarm: Raise, does: Does, now: datetime) -> None:
    served(90), served(2)
    does(rollback=AUTO)
    alert = alarm(severity="warns", model=2)
    mend(now)
    assert step(alert, "rollback")[0] == "proposed" and champion(project) == 2


@pytest.mark.parametrize(
    ("hours", "model", "words"),
    [
        ((90, 30), 2, "v2 was released more than 1d before the alarm, so the release is not suspected."),
        ((2,), 1, "v1 is the first champion; there is none to go back to."),
        ((90, 2), 1, "v2 serves by now, and the alarm is about v1: nothing is taken back."),
    ],
)
def test_where_nothing_is_suspected_it_says_why(
    served: Served, alarm: Raise, does: Does, now: datetime, hours: tuple[int, ...], model: int, words: str
) -> None:
    for each in hours:
        served(each)
    does(rollback=AUTO)
    alert = alarm(model=model)
    mend(now)
    assert step(alert, "rollback") == ("nothing", words)


def test_what_was_gone_back_to_is_not_taken_back_too(
    project: Project, served: Served, alarm: Raise, does: Does, now: datetime, lin: User
) -> None:
    from apps.releases.services import model_roll_back

    served(200), served(90), served(3)
    model_roll_back(project=project, reason="Slow.", expected_champion=3, by=lin, at=now - 2 * HOUR)
    does(rollback=AUTO)
    alert = alarm(model=2)
    mend(now)
    assert step(alert, "rollback") == ("nothing", "v2 is what was gone back to; it is not taken back too.")


def test_a_rollout_that_was_on_is_aborted_and_one_that_began_later_is_not(
    project: Project, served: Served, alarm: Raise, does: Does, now: datetime, lin: User
) -> None:
    served(90)
    slow = policy_of({"steps": [{"setWeight": 5}, {"pause": {}}, {"setWeight": 100}]})
    policy_set(RELEASE_POLICY, project=project, policy=slow, by=lin, at=now)
    does(rollback=AUTO)
    release_start(version=rows.model(project, at=now - 60 * HOUR), reason="", by=lin, at=now - HOUR)
    alert = alarm()
    mend(now)
    assert step(alert, "rollback") == ("done", "The rollout of v2 was aborted.") and champion(project) == 1
    assert not Rollout.objects.filter(project=project, ended_at=None).exists()
    release_start(version=rows.model(project, at=now - 50 * HOUR), reason="", by=lin, at=now + HOUR)
    other = alarm(kind="loss")
    mend(now + 2 * HOUR)
    assert step(other, "rollback")[0] == "nothing"
    assert Rollout.objects.filter(project=project, ended_at=None).count() == 1


def test_an_alarm_that_was_resolved_meanwhile_and_an_archived_project_do_nothing(
    project: Project, served: Served, alarm: Raise, does: Does, now: datetime, lin: User, mona: User
) -> None:
    served(90), served(2)
    does(rollback=AUTO)
    alert = alarm(model=2)
    alert_resolve(project=project, alert_id=alert.pk, note="A holiday.", by=mona, at=now)
    mend(now)
    with pytest.raises(DomainError, match="resolved"):
        link_do(project=project, alert_id=alert.pk, link=MendingLink.ROLLBACK, by=lin, at=now)
    assert champion(project) == 2 and not Mending.objects.exists()
    alarm(kind="loss", model=2)
    project_archive(project=project, by=mona, at=now)
    mend(now)
    assert champion(project) == 2 and not Mending.objects.exists()


def test_what_is_off_is_not_shown_and_cannot_be_clicked(
    project: Project, served: Served, alarm: Raise, does: Does, now: datetime, lin: User
) -> None:
    served(90), served(2)
    does(rollback={"mode": "off"})
    alert = alarm(model=2)
    mend(now)
    assert step(alert, "rollback") == ("", "")
    with pytest.raises(DomainError, match="switched that off"):
        link_do(project=project, alert_id=alert.pk, link=MendingLink.ROLLBACK, by=lin, at=now)
