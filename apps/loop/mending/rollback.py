"""The first link: a release that is under suspicion is taken back. Nobody is waited for, and nothing is taken back twice."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from apps.accounts.models import User
from apps.loop.mending.steps import FINAL, refusal_of, step_of, step_set
from apps.loop.models import Mending, MendingLink, StepState
from apps.releases.models import ModelVersion, Promotion, PromotionKind, Rollout
from apps.releases.rollouts.services import rollout_abort
from apps.releases.selectors import champion_of
from apps.releases.services import model_roll_back, previous_champion
from apps.rules.mending import AlarmPolicy, LinkMode
from apps.rules.rollouts.durations import in_words
from apps.rules.sentences import sentence, term

LINK = MendingLink.ROLLBACK


@dataclass(frozen=True)
class SuspectedRelease:
    """What can be taken back: a rollout under way, or the champion for the one before it. `words` says so, or why nothing can."""

    words: str
    rollout: Rollout | None = None
    champion: ModelVersion | None = None
    before: ModelVersion | None = None

    @property
    def any(self) -> bool:
        return self.rollout is not None or self.before is not None


def rollback_look(mending: Mending, policy: AlarmPolicy, at: datetime) -> None:
    """Propose it, do it, or say why there is nothing to take back."""
    mode, step = policy.mode(policy.rollback.mode, mending.alert.severity), step_of(mending, LINK)
    if mode is LinkMode.OFF or (step is not None and step.state in FINAL):
        return
    found = suspect_of(mending, policy.rollback.window)
    if not found.any:
        step_set(mending, LINK, StepState.NOTHING, found.words, at=at)
    elif mode is LinkMode.AUTO:
        rollback_do(mending, policy, by=None, at=at)
    else:
        step_set(mending, LINK, StepState.PROPOSED, found.words, at=at)


def rollback_do(mending: Mending, policy: AlarmPolicy, *, by: User | None, at: datetime) -> None:
    """Take it back, once. Raises DomainError where nothing can be by now."""
    found, alert = suspect_of(mending, policy.rollback.window), mending.alert
    if not found.any:
        raise refusal_of(found.words)
    reason = sentence(
        "Alarm {number}, {title}: {detail}", number=alert.pk, title=term(alert.title), detail=alert.detail
    )
    if found.rollout is not None:
        number = found.rollout.version.number
        rollout_abort(rollout=found.rollout, reason=str(reason), by=by, at=at)
        words = sentence("The rollout of v{number} was aborted.", number=number)
        step_set(mending, LINK, StepState.DONE, words, at=at, by=by, version=number)
        return
    assert found.champion is not None and found.before is not None
    model_roll_back(project=mending.project, reason=str(reason), expected_champion=found.champion.number, by=by, at=at)
    words = sentence(
        "v{number} was taken back; v{before} serves again.", number=found.champion.number, before=found.before.number
    )
    step_set(mending, LINK, StepState.DONE, words, at=at, by=by, version=found.before.number)


def suspect_of(mending: Mending, window: timedelta) -> SuspectedRelease:
    """A rollout that was on when the alarm was raised; else the release before it, where that is young enough. What was released
    since, the mended model too, is not suspected."""
    project, raised = mending.project, mending.alert.opened_at
    rollouts = Rollout.objects.filter(project=project, ended_at=None, started_at__lte=raised).select_related("version")
    if (rollout := rollouts.first()) is not None:
        words = sentence(
            "v{number} was on its way when the alarm came: abort its rollout.", number=rollout.version.number
        )
        return SuspectedRelease(words, rollout=rollout)
    champion, newest = champion_of(project), Promotion.objects.filter(project=project).first()
    if champion is None or newest is None:
        return SuspectedRelease(sentence("No model serves, so there is nothing to take back."))
    if champion.number != mending.model_number or newest.at > raised:
        return SuspectedRelease(
            sentence(
                "v{number} serves by now, and the alarm is about v{alarmed}: nothing is taken back.",
                number=champion.number,
                alarmed=mending.model_number,
            )
        )
    if newest.kind != PromotionKind.PROMOTE:
        return SuspectedRelease(
            sentence("v{number} is what was gone back to; it is not taken back too.", number=champion.number)
        )
    if raised - newest.at > window:
        return SuspectedRelease(
            sentence(
                "v{number} was released more than {window} before the alarm, so the release is not suspected.",
                number=champion.number,
                window=in_words(window),
            )
        )
    before = previous_champion(project)
    if before is None:
        return SuspectedRelease(
            sentence("v{number} is the first champion; there is none to go back to.", number=champion.number)
        )
    words = sentence(
        "v{number} was released {age} before the alarm: go back to v{before}.",
        number=champion.number,
        age=in_words(timedelta(minutes=(raised - newest.at) // timedelta(minutes=1))),
        before=before.number,
    )
    return SuspectedRelease(words, champion=champion, before=before)
