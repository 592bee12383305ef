"""Follow the champions: look at the aliases four times a second, load what changed, swap, and say so.

Looking beats listening here: no message can be lost, a Redis that is away changes nothing, and a quarter of a second plus the
load of a head is well inside the two seconds that a promotion may take. While the database is away what is loaded goes on
serving; a predictor that starts then serves the release that it kept (`kept.py`).
"""

import logging
import threading
import time
from dataclasses import dataclass
from datetime import datetime

from django.db import close_old_connections
from django.utils import timezone
from kserve.model_repository import ModelRepository

from apps.loop.services import serving_confirmed
from apps.releases.replicas import ReplicaState, replica_seen, replicas_serve
from apps.releases.selectors import Route, ServedModel, served
from workers.encoders import encoder_ready
from workers.predictor.arms import LoadedModel, ServingArms
from workers.predictor.kept import KeptRelease
from workers.predictor.log import PredictionLog
from workers.predictor.models import ProjectModel
from workers.training.models.bundle import load

logger = logging.getLogger(__name__)
LOOK_EVERY_S = 0.25  # a roll-back is in force within a second, whatever else the machine does
BEAT_EVERY_S = 1.0
FIRST_LOOK_S = 5.0  # a connection is given up after 15
TRIED_AGAIN_S, MOST_TRIED_AGAIN_S = 1.0, 60.0  # what does not load, twice as long each time


@dataclass
class _Fault:
    """A file that does not load: in words, since when, and when it is tried again."""

    version: int
    reason: str
    since: datetime
    wait_s: float
    again: float


class Watcher:
    """`name` tells this predictor from others of the console."""

    def __init__(self, repository: ModelRepository, log: PredictionLog, kept: KeptRelease, name: str = "") -> None:
        self.repository, self.log, self.kept, self.name = repository, log, kept, name
        self._faults: dict[str, _Fault] = {}  # by artifact
        self._before: dict[str, LoadedModel] = {}  # the champion before, for a roll-back that need not read it
        self._beat, self._said = 0.0, ReplicaState()
        self._done, self._answered, self._looked = threading.Event(), threading.Event(), threading.Event()
        self._following = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)

    def start(self) -> None:
        """Load everything once before the first request, then keep looking. A database that does not say anything is not waited
        for: the release that was kept serves until it does."""
        self._thread.start()
        if self._answered.wait(FIRST_LOOK_S):
            self._looked.wait()
        else:
            logger.warning("The database has not answered for %g s", FIRST_LOOK_S)
            self._serve_kept()

    def close(self) -> None:
        self._done.set()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        while True:
            self.look()
            self._looked.set()
            if self._done.wait(LOOK_EVERY_S):
                return

    def look(self) -> None:
        """One glance. A fault leaves the models that serve as they are, and one project's fault those of the others."""
        try:
            champions = served()
            self._answered.set()
        except Exception as cause:  # the database may be restarting
            self._answered.set()
            logger.warning("The champions could not be looked up: %s", cause)
            self._serve_kept()
            close_old_connections()
            return
        try:
            with self._following:
                for wanted in champions:
                    self._follow(wanted)
                self._forget_others({wanted.slug for wanted in champions})
            self.kept.write(champions)
            self._say(champions)
        except Exception as cause:
            logger.warning("The champions could not be followed: %s", cause)
        finally:
            close_old_connections()

    def _serve_kept(self) -> None:
        """Whatever the last known release has and nobody serves yet: after a restart without the database."""
        with self._following:
            for wanted in self.kept.served:
                if not self._serving(wanted.slug):
                    self._follow(wanted)

    def _follow(self, wanted: ServedModel) -> None:
        try:
            if self._serving(wanted.slug) != wanted.artifact_url:
                self._install(wanted)
            self._follow_route(wanted)
        except Exception as cause:
            logger.warning("The champion of %s could not be followed: %s", wanted.slug, cause)

    def _say(self, champions: list[ServedModel]) -> None:
        """What this predictor has loaded; then, of each release that waits for it, whether all predictors that live have."""
        state, now = self._state(champions), timezone.now()
        if state != self._said or time.monotonic() - self._beat >= BEAT_EVERY_S:
            replica_seen(name=self.name, state=state, at=now)
            self._said, self._beat = state, time.monotonic()
        for wanted in champions:
            if wanted.confirmed or self._serving(wanted.slug) != wanted.artifact_url:
                continue
            try:
                if replicas_serve(slug=wanted.slug, number=wanted.version_number, at=now):
                    serving_confirmed(promotion_id=wanted.promotion_id, at=now)
            except Exception as cause:
                logger.warning("The release of %s could not be confirmed: %s", wanted.slug, cause)

    def _state(self, champions: list[ServedModel]) -> ReplicaState:
        loaded, broken, given_up = {}, {}, {}
        for wanted in champions:
            model = self.repository.get_model(wanted.slug)
            if isinstance(model, ProjectModel) and model.ready:
                loaded[wanted.slug] = model.serving.champion.version
                if model.given_up:
                    given_up[wanted.slug] = model.given_up
            for url in (wanted.artifact_url, wanted.route.artifact_url if wanted.route else ""):
                if fault := self._faults.get(url):
                    broken[wanted.slug] = {
                        "version": fault.version,
                        "reason": fault.reason[:300],
                        "since": fault.since.isoformat(),
                    }
        return ReplicaState(loaded, broken, given_up)

    def _serving(self, slug: str) -> str:
        """The artifact that answers now, as the repository has it: whatever took a model away, it comes back."""
        model = self.repository.get_model(slug)
        return model.serving.champion.artifact_url if isinstance(model, ProjectModel) and model.ready else ""

    def _forget_others(self, wanted: set[str]) -> None:
        """Models of projects that are gone."""
        for slug in set(self.repository.get_models()) - wanted:
            self.repository.unload(slug)
            self._before.pop(slug, None)
            logger.info("%s has no champion any more", slug)

    def _follow_route(self, wanted: ServedModel) -> None:
        """Beside the champion that serves: load what is on its way, follow its weight, forget it once it has ended."""
        model = self.repository.get_model(wanted.slug)
        if not isinstance(model, ProjectModel) or model.serving.route == wanted.route:
            return
        champion, canary = model.serving.champion, model.serving.canary
        if wanted.route is None:
            model.serve(ServingArms(champion))
        elif canary and canary.artifact_url == wanted.route.artifact_url:
            model.serve(ServingArms(champion, canary, wanted.route))
        elif loaded := self._loaded(wanted, wanted.route):
            model.serve(ServingArms(champion, loaded, wanted.route))
            logger.info("%s knows v%s beside its champion", wanted.slug, wanted.route.version_number)
        elif model.serving.route is not None:  # what was on its way before it is on its way no more
            model.serve(ServingArms(champion))

    def _install(self, wanted: ServedModel) -> None:
        model = self.repository.get_model(wanted.slug)
        arms = model.serving if isinstance(model, ProjectModel) and model.ready else None
        known = [
            arms.canary if arms else None,
            self._before.get(wanted.slug),
        ]  # what was on its way has arrived, or left
        found = next((each for each in known if each and each.artifact_url == wanted.artifact_url), None)
        champion = found or self._loaded(wanted, wanted)
        if champion is None:
            return
        if isinstance(model, ProjectModel) and model.ready:
            self._before[wanted.slug] = model.serving.champion
            model.serve(ServingArms(champion))
        else:
            self.repository.update(ProjectModel(wanted.slug, ServingArms(champion), self.log))
        logger.info("%s answers with v%s", wanted.slug, wanted.version_number)

    def _loaded(self, wanted: ServedModel, arm: ServedModel | Route) -> LoadedModel | None:
        """None where it does not load, with one line of log; it is tried again ever more rarely."""
        fault = self._faults.get(arm.artifact_url)
        if fault and time.monotonic() < fault.again:
            return None
        try:
            bundle = load(self.kept.read(arm.artifact_url))
            if bundle.encoder:
                encoder_ready(bundle.encoder)  # now, so that no request waits for it
        except Exception as cause:
            self._broke(wanted, arm, fault, cause)
            return None
        self._faults.pop(arm.artifact_url, None)
        return LoadedModel(bundle, arm.version_number, wanted.project_id, arm.artifact_url)

    def _broke(self, wanted: ServedModel, arm: ServedModel | Route, before: _Fault | None, cause: Exception) -> None:
        wait_s = min(2 * before.wait_s, MOST_TRIED_AGAIN_S) if before else TRIED_AGAIN_S
        since = before.since if before else timezone.now()
        self._faults[arm.artifact_url] = _Fault(
            arm.version_number, str(cause) or type(cause).__name__, since, wait_s, time.monotonic() + wait_s
        )
        if before is None:
            logger.error(
                "v%s of %s does not load; the model before it keeps serving: %s",
                arm.version_number,
                wanted.slug,
                cause,
                exc_info=cause,
            )
