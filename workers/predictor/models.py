"""One project's models behind `/v2/models/<slug>`: the champion, and what is on its way to users beside it.

What answers is one frozen object, so a swap is one assignment and no request ever meets half a model.
"""

import asyncio
import logging
import time
import uuid
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

from django.conf import settings
from kserve import InferOutput, InferRequest, InferResponse, Model
from kserve.errors import InvalidInput

from apps.monitoring.log.services import AskedRow, LoggedPrediction
from apps.releases.selectors import Route
from apps.rules.log_sample import stays
from apps.rules.rollouts.arms import Arm, is_canary
from apps.rules.signature import Signature, signature_of
from workers.predictor.answers import summary
from workers.predictor.arms import ArmAnswer, LoadedModel, ServingArms
from workers.predictor.asked import asked_rows
from workers.predictor.log import PredictionLog
from workers.predictor.metrics import ArmMetrics
from workers.predictor.requests import PlainRequest, entity_of, refuse_unanswerable
from workers.training.learners.outputs import margins

logger = logging.getLogger(__name__)
GUARDED, MOST_FAILURES = 50, 10  # of the canary's last answers; beyond it this predictor asks it no more
MOST_SHADOWS = 8  # copies on their way at once; more are not made, since users' requests come first


class ProjectModel(Model):
    """A kserve model whose weights follow the project's champion and its rollout."""

    def __init__(self, slug: str, serving: ServingArms, log: PredictionLog) -> None:
        super().__init__(slug)
        self.serving, self.log, self.metrics = serving, log, ArmMetrics(slug)
        self._failures: deque[bool] = deque(maxlen=GUARDED)
        self._guarded: int | None = None  # the rollout whose canary this predictor has given up
        self.given_up: dict[str, Any] = {}  # the same with its reason, for whoever decides on rollouts
        self._shadows: set[asyncio.Task[None]] = set()
        self.ready = True

    def serve(self, serving: ServingArms) -> None:
        if (serving.route and serving.route.rollout_id) != (self.serving.route and self.serving.route.rollout_id):
            self._failures.clear()
            self.given_up = {}
        self.serving = serving
        self.metrics.keep({arm.version for arm in (serving.champion, serving.canary) if arm})

    def get_input_types(self) -> list[dict[str, Any]]:
        """What `/v2/models/<name>` says of it, as the protocol has it; ranges and values are on the model's page."""
        return self._signature.metadata_inputs

    def get_output_types(self) -> list[dict[str, Any]]:
        return self._signature.metadata_outputs

    @property
    def _signature(self) -> Signature:
        bundle = self.serving.champion.bundle
        return signature_of(
            {
                "preprocessor": bundle.preprocessor.to_json(),
                "recipe": bundle.recipe.to_dict(),
                "labels": list(bundle.labels),
            }
        )

    async def predict(self, payload: InferRequest, headers: dict[str, str] | None = None) -> InferResponse:
        """The way of kserve: binary values and gRPC."""
        reply = await self.reply(payload)
        outputs = [InferOutput(**each) for each in reply.pop("outputs")]
        return InferResponse(response_id=reply.pop("id"), infer_outputs=outputs, **reply)

    async def reply(self, payload: InferRequest | PlainRequest) -> dict[str, Any]:
        """The answer as JSON. Raises InvalidInput."""
        refuse_unanswerable(payload)
        serving, inference_id = self.serving, payload.id or uuid.uuid4().hex
        entity = entity_of(payload) or inference_id
        route = serving.route
        if route and serving.canary and _meets(entity, route):
            answered, route = await self._by_canary(serving, serving.canary, route, payload, inference_id, entity)
        else:
            answered = await self._ask_champion(serving, payload)
            if self._mirrored(serving, entity):
                self._shadow(serving, payload, inference_id, entity, answered)
        share = 1.0 if serving.route else self.log.shares(answered.model.project_id).of(answered.labels)
        logged = stays(inference_id, share)
        asked = self._kept(answered.model, payload, inference_id) if logged else None
        rows = _logged(answered, inference_id, entity, route, asked)
        self.log.add(rows if share == 1 else [replace(row, share=share, stays=logged) for row in rows])
        return _reply(self.name, answered, inference_id, serving.route, logged)

    def _kept(self, model: LoadedModel, payload: InferRequest, inference_id: str) -> list[AskedRow] | None:
        if not self.log.keeps(model.project_id, inference_id):
            return None
        return asked_rows(model.bundle.learner.payloads(payload.inputs))

    async def _ask_champion(self, serving: ServingArms, payload: InferRequest | PlainRequest) -> ArmAnswer:
        champion = serving.champion
        try:
            answered = await _asked(champion, Arm.CHAMPION, payload)
        except InvalidInput:
            self.metrics.refused()
            raise
        except Exception:
            self.metrics.failed(Arm.CHAMPION, champion.version)
            raise
        self.metrics.answered(Arm.CHAMPION, champion.version, answered.latency_ms)
        return answered

    async def _by_canary(
        self,
        serving: ServingArms,
        canary: LoadedModel,
        route: Route,
        payload: InferRequest | PlainRequest,
        inference_id: str,
        entity: str,
    ) -> tuple[ArmAnswer, Route | None]:
        """Where it fails, or cannot read what the champion can, the champion answers: that is on record as a failure and its
        answer counts for neither arm. Once it is given up it is not asked, and that counts as a failure too: or the figures
        would say that all is well. Raises InvalidInput where nobody can read the request."""
        began, fault = time.perf_counter(), None
        if self._guarded != route.rollout_id:
            try:
                answered = await _asked(canary, Arm.CANARY, payload)
            except Exception as cause:
                fault = cause
            else:
                self._failures.append(False)
                self.metrics.answered(Arm.CANARY, canary.version, answered.latency_ms)
                return answered, route
        answered = await self._ask_champion(serving, payload)
        if fault:
            self._failed(route, fault)
        self.metrics.failed(Arm.CANARY, canary.version)
        self.log.add([_failure(canary, inference_id, entity, route, began)])
        return answered, None

    def _failed(self, route: Route, cause: Exception) -> None:
        """Without the database too: past the limit the canary is asked no more by this predictor."""
        self._failures.append(True)
        logger.warning(
            "v%s of %s failed on a request; the champion answered it: %s", route.version_number, self.name, cause
        )
        if sum(self._failures) >= MOST_FAILURES:
            self._guarded = route.rollout_id
            reason = f"{MOST_FAILURES} of its last {len(self._failures)} answers failed: {cause}"
            self.given_up = {"rollout": route.rollout_id, "reason": reason[:300]}
            logger.error(
                "v%s of %s failed %d times; its traffic goes to the champion",
                route.version_number,
                self.name,
                MOST_FAILURES,
            )

    def _mirrored(self, serving: ServingArms, entity: str) -> bool:
        route = serving.route
        return bool(
            route
            and serving.canary
            and route.mirror
            and len(self._shadows) < MOST_SHADOWS
            and is_canary(entity, salt=f"mirror {route.salt}", weight=route.mirror)
        )

    def _shadow(
        self,
        serving: ServingArms,
        payload: InferRequest | PlainRequest,
        inference_id: str,
        entity: str,
        champion: ArmAnswer,
    ) -> None:
        task = asyncio.get_running_loop().create_task(
            self._asked_unseen(serving, payload, inference_id, entity, champion)
        )
        self._shadows.add(task)
        task.add_done_callback(self._shadows.discard)

    async def _asked_unseen(
        self,
        serving: ServingArms,
        payload: InferRequest | PlainRequest,
        inference_id: str,
        entity: str,
        champion: ArmAnswer,
    ) -> None:
        assert serving.canary and serving.route
        try:
            answered = await _asked(serving.canary, Arm.SHADOW, payload)
        except Exception as cause:
            logger.warning("v%s of %s failed on a copy: %s", serving.route.version_number, self.name, cause)
            self.metrics.failed(Arm.SHADOW, serving.canary.version)
            return
        self.metrics.answered(Arm.SHADOW, serving.canary.version, answered.latency_ms)
        rows = _logged(answered, inference_id, entity, serving.route)
        pairs = zip(rows, champion.labels, strict=True)
        self.log.add([replace(row, agreed=row.label == label) for row, label in pairs])


def _meets(entity: str, route: Route) -> bool:
    return is_canary(entity, salt=route.salt, weight=route.weight)


async def _asked(model: LoadedModel, arm: Arm, payload: InferRequest | PlainRequest) -> ArmAnswer:
    began = time.perf_counter()
    probabilities = await model.ask(payload)
    latency_ms = (time.perf_counter() - began) * 1000
    return ArmAnswer(model, arm, *summary(model.bundle, probabilities), probabilities, latency_ms)


def _logged(
    answered: ArmAnswer, inference_id: str, entity: str, route: Route | None, asked: list[AskedRow] | None = None
) -> list[LoggedPrediction]:
    at, model = datetime.now(UTC), answered.model
    apart: Sequence[float | None] = margins(answered.probabilities) or [None] * len(answered.labels)
    return [
        LoggedPrediction(
            model.project_id,
            inference_id,
            at,
            model.version,
            label,
            sure,
            answered.latency_ms,
            arm=answered.arm,
            rollout=route.rollout_id if route else None,
            entity=_hash(entity) if route else None,
            item=item,
            asked=asked[item] if asked else None,
            margin=margin,
        )
        for item, (label, sure, margin) in enumerate(zip(answered.labels, answered.confidence, apart, strict=True))
    ]


def _failure(model: LoadedModel, inference_id: str, entity: str, route: Route, began: float) -> LoggedPrediction:
    latency_ms = (time.perf_counter() - began) * 1000
    at = datetime.now(UTC)
    return LoggedPrediction(
        model.project_id,
        inference_id,
        at,
        model.version,
        "",
        0.0,
        latency_ms,
        arm=Arm.CANARY,
        rollout=route.rollout_id,
        entity=_hash(entity),
        failed=True,
    )


def _hash(entity: str) -> int:
    """A signed 64-bit number: who asked is counted, not kept."""
    return int.from_bytes(
        blake2b(entity.encode(), key=settings.INSTANCE_ID.encode()[:64], digest_size=8).digest(), "big", signed=True
    )


def _reply(slug: str, answered: ArmAnswer, inference_id: str, route: Route | None, logged: bool) -> dict[str, Any]:
    n, classes = answered.probabilities.shape
    version, probabilities = answered.model.version, answered.probabilities.astype(float).reshape(-1).tolist()
    rollout = {"rollout": route.rollout_id} if route else {}
    return {
        "model_name": slug,
        "model_version": str(version),
        "id": inference_id,
        "parameters": {
            "model_version": version,
            "alias": str(answered.arm),
            "arm": str(answered.arm),
            **rollout,
            **({} if logged else {"logged": False}),  # feedback on it would find no answer
            "labels": "\n".join(answered.model.bundle.labels),
            "instance": settings.INSTANCE_ID,  # whoever asks compares it: a stranger may answer at our port
        },
        "outputs": [
            {"name": "label", "shape": [n], "datatype": "BYTES", "data": answered.labels},
            {"name": "confidence", "shape": [n], "datatype": "FP64", "data": answered.confidence},
            {"name": "probabilities", "shape": [n, classes], "datatype": "FP64", "data": probabilities},
        ],
    }
