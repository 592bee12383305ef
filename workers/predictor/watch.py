"""Follow the champions: look at the aliases four times a second, load what changed, swap, and say so.

Looking beats listening here: no message can be lost, a Redis that is away changes nothing, and a quarter of a second plus the
load of a head is well inside the two seconds that a promotion may take.
"""

import logging
import threading

from django.db import close_old_connections
from django.utils import timezone
from kserve.model_repository import ModelRepository

from apps.integrations import wiring
from apps.loop.services import serving_confirmed
from apps.releases.selectors import Route, ServedModel, served
from workers.encoders import encoder_ready
from workers.predictor.arms import LoadedModel, ServingArms
from workers.predictor.log import PredictionLog
from workers.predictor.models import ProjectModel
from workers.training.models.bundle import load

logger = logging.getLogger(__name__)
LOOK_EVERY_S = 0.25  # a roll-back is in force within a second, whatever else the machine does


class Watcher:
    def __init__(self, repository: ModelRepository, log: PredictionLog) -> None:
        self.repository, self.log = repository, log
        self._broken: set[str] = set()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)

    def start(self) -> None:
        """Load everything once before the first request, then keep looking."""
        self.look()
        self._thread.start()

    def close(self) -> None:
        self._done.set()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        while not self._done.wait(LOOK_EVERY_S):
            self.look()

    def look(self) -> None:
        """One glance. A fault leaves the models that serve as they are, and one project's fault those of the others."""
        try:
            champions = served()
            for wanted in champions:
                self._follow(wanted)
            self._forget_others({wanted.slug for wanted in champions})
        except Exception as cause:  # the database may be restarting
            logger.warning("The champions could not be looked up: %s", cause)
        finally:
            close_old_connections()

    def _follow(self, wanted: ServedModel) -> None:
        try:
            if self._serving(wanted.slug) != wanted.artifact_url:
                self._install(wanted)
            self._follow_route(wanted)
            if not wanted.confirmed and self._serving(wanted.slug) == wanted.artifact_url:
                serving_confirmed(promotion_id=wanted.promotion_id, at=timezone.now())
        except Exception as cause:
            logger.warning("The champion of %s could not be followed: %s", wanted.slug, cause)

    def _serving(self, slug: str) -> str:
        """The artifact that answers now, as the repository has it: whatever took a model away, it comes back."""
        model = self.repository.get_model(slug)
        return model.serving.champion.artifact_url if isinstance(model, ProjectModel) and model.ready else ""

    def _forget_others(self, wanted: set[str]) -> None:
        """Models of projects that are gone."""
        for slug in set(self.repository.get_models()) - wanted:
            self.repository.unload(slug)
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

    def _install(self, wanted: ServedModel) -> None:
        model = self.repository.get_model(wanted.slug)
        arms = model.serving if isinstance(model, ProjectModel) and model.ready else None
        if arms and arms.canary and arms.canary.artifact_url == wanted.artifact_url:
            champion: LoadedModel | None = arms.canary  # what was on its way has arrived
        else:
            champion = self._loaded(wanted, wanted)
        if champion is None:
            return
        if isinstance(model, ProjectModel) and model.ready:
            model.serve(ServingArms(champion))
        else:
            self.repository.update(ProjectModel(wanted.slug, ServingArms(champion), self.log))
        logger.info("%s answers with v%s", wanted.slug, wanted.version_number)

    def _loaded(self, wanted: ServedModel, arm: ServedModel | Route) -> LoadedModel | None:
        """None where it does not load, with one line of log however often it is tried."""
        try:
            bundle = load(wiring.storage().read(arm.artifact_url))
            if bundle.encoder:
                encoder_ready(bundle.encoder)  # now, so that no request waits for it
        except Exception as cause:
            if arm.artifact_url not in self._broken:
                self._broken.add(arm.artifact_url)
                logger.exception(
                    "v%s of %s does not load; the model before it keeps serving: %s",
                    arm.version_number,
                    wanted.slug,
                    cause,
                )
            return None
        return LoadedModel(bundle, arm.version_number, wanted.project_id, arm.artifact_url)
