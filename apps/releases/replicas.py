"""Predictors that live: each says what it has loaded, what does not load and what it gave up. A row is one process's own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils.dateparse import parse_datetime

from apps.releases.models import Replica, Rollout
from apps.rules.sentences import sentence

LIVES = timedelta(seconds=5)  # since it was last seen; each is seen once a second
FORGOTTEN = timedelta(days=1)
LOADS_WITHIN = timedelta(seconds=30)  # a store that is away for a moment is no broken file


@dataclass(frozen=True)
class ReplicaState:
    """`loaded` has the champion's number by model name; `broken` the versions that do not load, `given_up` the rollouts whose
    canary failed here too often: by model name, each with its reason."""

    loaded: Mapping[str, int] = field(default_factory=dict)
    broken: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # version, reason, since (ISO 8601)
    given_up: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # rollout, reason

    def written(self) -> dict[str, Any]:
        return {"loaded": dict(self.loaded), "broken": dict(self.broken), "given_up": dict(self.given_up)}


@dataclass(frozen=True)
class PredictorsSeen:
    """How many live, how many of them answer with the champion, and why one does not, where it said so."""

    live: int = 0
    serving: int = 0
    fault: str = ""


def replica_seen(*, name: str, state: ReplicaState, at: datetime) -> None:
    """Its beat. Rows of predictors that ended long ago go."""
    Replica.objects.update_or_create(
        name=name[:120],
        defaults={"seen_at": at, "state": state.written()},
        create_defaults={"seen_at": at, "started_at": at, "state": state.written()},
    )
    Replica.objects.filter(seen_at__lt=at - FORGOTTEN).delete()


def replicas_live(at: datetime) -> QuerySet[Replica]:
    return Replica.objects.filter(seen_at__gt=at - LIVES)


def replicas_serve(*, slug: str, number: int, at: datetime) -> bool:
    """Whether every live predictor answers with this version. One that is dead by now is waited for by nobody."""
    return all(replica.state["loaded"].get(slug) == number for replica in replicas_live(at))


def predictors_seen(*, slug: str, number: int, at: datetime) -> PredictorsSeen:
    live = list(replicas_live(at))
    serving = [replica for replica in live if replica.state["loaded"].get(slug) == number]
    broken = [found for replica in live if (found := replica.state["broken"].get(slug)) and found["version"] == number]
    return PredictorsSeen(len(live), len(serving), str(broken[0]["reason"]) if broken else "")


def rollout_refused(rollout: Rollout, at: datetime) -> str:
    """Why no live predictor's users should meet it: it does not load, or it failed where the database could not be asked."""
    slug, number = rollout.project.slug, rollout.version.number
    for replica in replicas_live(at):
        broken, given_up = replica.state["broken"].get(slug), replica.state["given_up"].get(slug)
        if broken and broken["version"] == number:
            since = parse_datetime(broken["since"])
            if since is not None and at - since >= LOADS_WITHIN:
                return sentence("v{number} does not load: {reason}", number=number, reason=broken["reason"])
        if given_up and given_up["rollout"] == rollout.pk:
            return sentence("A predictor gave v{number} up: {reason}", number=number, reason=given_up["reason"])
    return ""
