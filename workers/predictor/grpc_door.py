"""The same models over gRPC, on kserve's own server: the same checks, log and arms, and who may ask is asked there too.

kserve's server listens on every interface, takes models away for whoever asks, and logs a traceback for each wrong request.
Ours listens where REST does, has the calls below only, and answers a wrong request with INVALID_ARGUMENT and a sentence.
"""

import hmac
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NoReturn

import grpc
from django.conf import settings
from grpc import StatusCode, aio
from grpc_interceptor import AsyncExceptionToStatusInterceptor
from kserve import InferOutput, InferRequest, InferResponse
from kserve.errors import InvalidInput, ModelNotFound, ModelNotReady
from kserve.protocol.grpc import grpc_predict_v2_pb2 as pb
from kserve.protocol.grpc import grpc_predict_v2_pb2_grpc
from kserve.protocol.grpc.server import GRPCServer
from kserve.protocol.grpc.servicer import InferenceServicer
from kserve.protocol.infer_type import to_http_parameters

from fastloop_console.machine import env
from workers.predictor.door import MOST_BODY, NO_KEY
from workers.predictor.models import ProjectModel
from workers.predictor.requests import PlainRequest, PlainTensor, plain, refuse_unanswerable

logger = logging.getLogger(__name__)
SERVICE = "/inference.GRPCInferenceService/"
ANYBODY = {"ServerLive", "ServerReady", "ServerMetadata"}
WITH_KEY = {"ModelReady", "ModelMetadata", "ModelInfer"}
MOST_QUOTED = 1000  # characters of a sentence; gRPC's trailers hold 8 kB
Handler = Any  # grpc.RpcMethodHandler; the package has no types


class CheckedServicer(InferenceServicer):
    """kserve's, with requests that hold what they say."""

    async def ModelInfer(self, request: pb.ModelInferRequest, context: Any) -> pb.ModelInferResponse:
        model = await self._data_plane.get_model(request.model_name)
        if not isinstance(model, ProjectModel):
            raise ModelNotFound(request.model_name)
        reply = await model.reply(_read(self, request, model))
        outputs = [InferOutput(**each) for each in reply.pop("outputs")]
        return InferResponse(response_id=reply.pop("id"), infer_outputs=outputs, **reply).to_grpc()


def _read(servicer: InferenceServicer, request: pb.ModelInferRequest, model: ProjectModel) -> PlainRequest:
    """Raises InvalidInput for whatever the request does not hold."""
    serves = str(model.serving.champion.version)
    if request.model_version not in ("", serves):
        raise InvalidInput(
            f"Version “{request.model_version[:40]}” is not asked by its number; who asks is answered by v{serves}, "
            "or by what is on its way beside it."
        )
    try:
        servicer.validate_grpc_request(request)
        whole = InferRequest.from_grpc(request)
        raw = bool(request.raw_input_contents)
        tensors = [
            PlainTensor(each.name, list(each.shape), each.datatype, each.as_numpy().tolist() if raw else each.data)
            for each in whole.inputs
        ]
        given = PlainRequest(whole.id or None, tensors, to_http_parameters(request.parameters))
    except InvalidInput:
        raise
    except Exception as cause:  # whatever kserve stumbles over was in the request
        raise InvalidInput(
            f"The request is not as the Open Inference Protocol v2 has it ({type(cause).__name__})."
        ) from cause
    refuse_unanswerable(given)
    return given


class SaidInStatus(AsyncExceptionToStatusInterceptor):  # type: ignore[misc]
    """A sentence and a status of gRPC for each refusal, without a traceback in the log: anybody could fill it."""

    async def handle_exception(self, ex: Exception, request: Any, context: Any, method_name: str) -> NoReturn:
        if isinstance(ex, InvalidInput):
            await context.abort(StatusCode.INVALID_ARGUMENT, plain(str(ex))[:MOST_QUOTED])
        elif isinstance(ex, ModelNotFound):
            await context.abort(StatusCode.NOT_FOUND, plain(str(ex))[:MOST_QUOTED])
        elif isinstance(ex, ModelNotReady):
            await context.abort(StatusCode.UNAVAILABLE, plain(str(ex))[:MOST_QUOTED])
        logger.error("%s failed: %s", method_name, ex, exc_info=ex)
        await context.abort(StatusCode.INTERNAL, "The predictor failed on this request. Its log says more.")
        raise AssertionError("abort raises")


class GrpcDoor(aio.ServerInterceptor):  # type: ignore[misc]
    """Which calls there are, and the console's key for all that shows or asks a model."""

    async def intercept_service(
        self, continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler]], details: grpc.HandlerCallDetails
    ) -> Handler:
        call = details.method.removeprefix(SERVICE)
        if call not in ANYBODY | WITH_KEY:
            return _refusing(
                StatusCode.UNIMPLEMENTED, "The predictor has no such call; nothing loads or unloads a model."
            )
        if call in WITH_KEY and env.predictor_auth() and not _has_key(dict(details.invocation_metadata or ())):
            return _refusing(StatusCode.UNAUTHENTICATED, NO_KEY)
        return await continuation(details)


def _has_key(metadata: Mapping[str, Any]) -> bool:
    scheme, _, key = str(metadata.get("authorization", "")).partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(key.strip().encode(), settings.PREDICTOR_KEY.encode())


def _refusing(status: StatusCode, sentence: str) -> Handler:
    async def refuse(request: Any, context: Any) -> None:
        await context.abort(status, sentence)

    return grpc.unary_unary_rpc_method_handler(refuse)


class BoundGrpcServer(GRPCServer):
    """kserve's, where PREDICTOR_HOST says, behind the door."""

    async def start(self, max_workers: int) -> None:
        self._server = self.made()
        host = f"[{env.predictor_host()}]" if ":" in env.predictor_host() else env.predictor_host()
        try:
            self._server.add_insecure_port(f"{host}:{self._port}")
        except RuntimeError as taken:
            logger.error("gRPC is not served: port %s cannot be had (%s). Set PREDICTOR_GRPC_PORT.", self._port, taken)
            return
        await self._server.start()
        await self._server.wait_for_termination()

    def made(self) -> aio.Server:
        options = [("grpc.max_receive_message_length", MOST_BODY), ("grpc.max_send_message_length", MOST_BODY)]
        server = aio.server(interceptors=(GrpcDoor(), SaidInStatus()), options=[*options, ("grpc.so_reuseport", 0)])
        servicer = CheckedServicer(self._data_plane, self._model_repository_extension)
        grpc_predict_v2_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(servicer, server)
        return server
