"""gRPC says what REST says: the same answers, log and refusals, and the same key. Asked by the stubs of the kserve SDK."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import grpc
import numpy as np
import pytest
from django.conf import settings
from kserve import InferInput, InferRequest
from kserve.model_repository import ModelRepository
from kserve.protocol.grpc import grpc_predict_v2_pb2 as pb
from kserve.protocol.grpc.grpc_predict_v2_pb2_grpc import GRPCInferenceServiceStub
from kserve.protocol.model_repository_extension import ModelRepositoryExtension

from tests.workers.test_predictor import LOANS, KeptLog
from tests.workers.test_predictor_arms import CANARY, ROUTE
from workers.predictor.__main__ import NamedDataPlane
from workers.predictor.answers import answer
from workers.predictor.arms import LoadedModel, ServingArms
from workers.predictor.grpc_door import BoundGrpcServer
from workers.predictor.models import ProjectModel

KEY = (("authorization", f"Bearer {settings.PREDICTOR_KEY}"),)
Call = Callable[[GRPCInferenceServiceStub], Awaitable[Any]]


@pytest.fixture
def log() -> KeptLog:
    return KeptLog()


@pytest.fixture
def served(log) -> Iterator[Callable[[Call], Any]]:
    """Asks a server of its own; what it raises is gRPC's error."""
    repository = ModelRepository()
    repository.update(ProjectModel("loans", ServingArms(LoadedModel(LOANS, 3, 1, "file:///a"), CANARY, ROUTE), log))

    async def ask(call: Call) -> Any:
        server = BoundGrpcServer(0, NamedDataPlane(repository), ModelRepositoryExtension(repository), {}).made()
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        try:
            async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
                return await call(GRPCInferenceServiceStub(channel))
        finally:
            await server.stop(None)

    yield lambda call: asyncio.run(ask(call))


def refused(served: Callable[[Call], Any], call: Call) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        served(call)
    return error.value.code(), error.value.details()


def question(*, age: Any = 30.0, rows: int = 1, **more: Any) -> pb.ModelInferRequest:
    inputs = [InferInput("age", [rows], "FP64", [age] * rows), InferInput("job", [rows], "BYTES", [b"nurse"] * rows)]
    return InferRequest("loans", inputs, request_id="order 7", **more).to_grpc()


def test_a_question_is_answered_as_over_rest_and_logged(served, log):
    answered = served(lambda stub: stub.ModelInfer(question(rows=3, parameters={"entity": "user-1"}), metadata=KEY))
    outputs = {each.name: each for each in answered.outputs}
    expected = answer(LOANS, InferRequest.from_grpc(question(rows=3)))
    assert np.allclose(list(outputs["probabilities"].contents.fp64_contents), expected.reshape(-1), atol=1e-6)
    assert set(outputs["label"].contents.bytes_contents) <= {b"bad", b"good"} and answered.id == "order 7"
    assert answered.parameters["rollout"].int64_param == 7
    arm = answered.parameters["arm"].string_param
    assert {(row.inference_id, row.arm, row.rollout) for row in log.rows} == {("order 7", arm, 7)}


def test_raw_values_are_read_and_raw_values_that_lie_refused(served):
    head = [pb.ModelInferRequest.InferInputTensor(name="age", shape=[1], datatype="FP64"), question().inputs[1]]
    head[1].ClearField("contents")
    job = (5).to_bytes(4, "little") + b"nurse"
    raw = pb.ModelInferRequest(model_name="loans", inputs=head, raw_input_contents=[np.float64(30).tobytes(), job])
    assert served(lambda stub: stub.ModelInfer(raw, metadata=KEY)).model_version in ("3", "4")
    raw.raw_input_contents[0] = b"123"
    status, sentence = refused(served, lambda stub: stub.ModelInfer(raw, metadata=KEY))
    assert status == grpc.StatusCode.INVALID_ARGUMENT and sentence.endswith(".")


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (question(age=float("nan")), "“age” holds a number that is not finite."),
        (question(rows=0), "Between 1 and 1,024 rows"),
        (question(rows=1025), "Between 1 and 1,024 rows"),
        (
            InferRequest("loans", [InferInput("age", [2], "FP64", [1.0])]).to_grpc(),
            "The shape of “age” does not hold 1",
        ),
        (InferRequest("loans", [InferInput("age", [1], "FP64", [1.0])]).to_grpc(), "The request lacks “job”"),
        (InferRequest("loans", [InferInput("pay", [1], "FP64", [1.0])]).to_grpc(), "does not know “pay”"),
        (InferRequest("loans", [InferInput("age", [1], "BYTES", [b"banana"])]).to_grpc(), "“job”"),
        (pb.ModelInferRequest(model_name="loans"), "The request has 0 inputs"),
        (question(parameters={"entity": "x" * 201}), "“entity” has 201 characters"),
        (question(parameters={"allow_missing": "yes"}), "“allow_missing” is true or false."),
        (question(model_version="9"), "Version “9” is not asked by its number"),
        (
            pb.ModelInferRequest(
                model_name="loans",
                inputs=[pb.ModelInferRequest.InferInputTensor(name="age", shape=[1], datatype="FP12")],
            ),
            "invalid content type",
        ),
    ],
)
def test_what_cannot_be_answered_is_an_invalid_argument_in_words(served, log, request_, words):
    status, sentence = refused(served, lambda stub: stub.ModelInfer(request_, metadata=KEY))
    assert (status, log.rows) == (grpc.StatusCode.INVALID_ARGUMENT, [])
    assert words in sentence


def test_that_it_lives_and_whose_it_is_it_tells_anybody(served):
    assert served(lambda stub: stub.ServerLive(pb.ServerLiveRequest())).live
    assert served(lambda stub: stub.ServerReady(pb.ServerReadyRequest())).ready
    told = served(lambda stub: stub.ServerMetadata(pb.ServerMetadataRequest()))
    assert f"fastloop_instance:{settings.INSTANCE_ID}" in told.extensions


def test_a_model_is_shown_to_whoever_has_the_key(served):
    shown = served(lambda stub: stub.ModelMetadata(pb.ModelMetadataRequest(name="loans"), metadata=KEY))
    assert {each.name for each in shown.inputs} == {"age", "job"} and shown.outputs[0].name == "label"
    assert served(lambda stub: stub.ModelReady(pb.ModelReadyRequest(name="loans"), metadata=KEY)).ready
    status, _ = refused(served, lambda stub: stub.ModelReady(pb.ModelReadyRequest(name="nobody"), metadata=KEY))
    assert status == grpc.StatusCode.NOT_FOUND


@pytest.mark.parametrize("metadata", [(), (("authorization", "Bearer wrong"),), (("authorization", "Basic x"),)])
def test_without_the_key_no_model_is_shown_or_asked(served, log, metadata):
    for call in (
        lambda stub: stub.ModelInfer(question(), metadata=metadata),
        lambda stub: stub.ModelMetadata(pb.ModelMetadataRequest(name="loans"), metadata=metadata),
        lambda stub: stub.ModelReady(pb.ModelReadyRequest(name="loans"), metadata=metadata),
    ):
        status, sentence = refused(served, call)
        assert status == grpc.StatusCode.UNAUTHENTICATED and "manage.py predictor_key" in sentence
    assert log.rows == []


def test_nobody_takes_a_model_away_not_even_with_the_key(served):
    for call in (
        lambda stub: stub.RepositoryModelUnload(pb.RepositoryModelUnloadRequest(model_name="loans"), metadata=KEY),
        lambda stub: stub.RepositoryModelLoad(pb.RepositoryModelLoadRequest(model_name="loans"), metadata=KEY),
    ):
        assert refused(served, call)[0] == grpc.StatusCode.UNIMPLEMENTED


def test_a_model_that_breaks_is_an_error_in_words_without_its_inside(served, monkeypatch, caplog):
    monkeypatch.setattr(ProjectModel, "reply", None)
    status, sentence = refused(served, lambda stub: stub.ModelInfer(question(), metadata=KEY))
    assert (status, sentence) == (grpc.StatusCode.INTERNAL, "The predictor failed on this request. Its log says more.")
