"""What a request of the Open Inference Protocol v2 says of itself, checked before any model sees it.

kserve believes lengths, shapes and types; each that lies becomes a traceback there. Here it becomes InvalidInput, a 400.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from kserve import InferRequest
from kserve.errors import InvalidInput
from kserve.protocol.dataplane import DataPlane
from kserve.protocol.rest.v2_datamodels import InferenceRequest

HEADER = "inference-header-content-length"
MOST_ID = 100  # characters: what the log keeps of it
MOST_INPUTS = 10_000
ENTITY, MOST_ENTITY = "entity", 200  # of `parameters`: who asks; rollouts keep an entity with one model
ALLOW_MISSING = "allow_missing"  # of `parameters`: features that are not sent are missing values
_SIMPLE, _BINARY = (str, int, float, bool), "binary_data_output"
_IN_JSON = {"BOOL", "BYTES", "FP32", "FP64", *(f"{sign}INT{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64))}
_UNWRITABLE = re.compile("[\x00\ud800-\udfff]")


def plain(sentence: str) -> str:
    """A sentence that any reply can hold, whatever it quotes."""
    return sentence.replace("\x00", "").encode("utf-8", "replace").decode()


@dataclass(slots=True)
class PlainTensor:
    name: str
    shape: list[int]
    datatype: str
    data: list[Any]


@dataclass(slots=True)
class PlainRequest:
    """A request of JSON alone, as `plain_request` reads it."""

    id: str | None
    inputs: list[PlainTensor]
    parameters: dict[str, Any]


def plain_request(body: bytes) -> PlainRequest | None:
    """The request where it is plainly one, read in a tenth of the time that kserve and FastAPI take. None for everything else:
    they say what is wrong with it, or know what to do with its binary values."""
    try:
        given = orjson.loads(body)
        if not given.keys() <= {"id", "inputs", "parameters"}:
            return None
        parameters, inputs = given.get("parameters") or {}, given["inputs"]
        tensors = [_plain_tensor(each) for each in inputs]
    except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError):
        return None
    whole = [each for each in tensors if each is not None]
    if len(whole) < len(tensors) or not isinstance(inputs, list) or not isinstance(parameters, dict):
        return None
    if not isinstance(given.get("id"), str | None) or not all(type(v) in _SIMPLE for v in parameters.values()):
        return None
    return None if _BINARY in parameters else PlainRequest(given.get("id"), whole, parameters)


def _plain_tensor(given: dict[str, Any]) -> PlainTensor | None:
    name, shape, datatype, data = given["name"], given["shape"], given["datatype"], given["data"]
    is_plain = (
        len(given) == 4
        and type(name) is str
        and type(data) is list
        and datatype in _IN_JSON
        and type(shape) is list
        and all(type(side) is int for side in shape)
    )
    return PlainTensor(name, shape, datatype, data) if is_plain else None


class CheckedDataPlane(DataPlane):
    """kserve's, with requests that hold what they say."""

    def decode(
        self, body: Any, headers: Mapping[str, str], protocol_version: str = "v2", model_name: str | None = None
    ) -> tuple[Any, Any]:
        try:
            length = header_length(body, headers)
            request, attributes = super().decode(body, headers, protocol_version, model_name)
            refuse_untrue(request, body, length)
        except InvalidInput:
            raise
        except Exception as cause:  # whatever kserve stumbles over was in the request
            raise InvalidInput(
                f"The request is not as the Open Inference Protocol v2 has it ({type(cause).__name__})."
            ) from cause
        return request, attributes


def header_length(body: bytes | InferenceRequest, headers: Mapping[str, str]) -> int | None:
    """How many bytes of the body are JSON, where the header says so. Raises InvalidInput for one that cannot be true."""
    said = headers.get(HEADER)
    if said is None:
        return None
    total = len(body) if isinstance(body, bytes) else int(headers.get("content-length", "0"))
    if not (said.isascii() and said.isdigit() and len(said) < 20 and 0 < int(said) <= total):
        raise InvalidInput(f"“{HEADER}” is “{plain(said)[:40]}”, but the request has {total:,} bytes.")
    if not isinstance(body, bytes) and int(said) != total:
        raise InvalidInput(f"“{HEADER}” is {said}, but all {total:,} bytes of the request are JSON.")
    return int(said)


def refuse_untrue(request: Any, body: Any, length: int | None) -> None:
    """Raises InvalidInput."""
    if not isinstance(request, InferRequest):
        raise InvalidInput("The request is not as the Open Inference Protocol v2 has it: it has no “inputs”.")
    refuse_unanswerable(request)
    if isinstance(body, bytes) and length is not None:
        said = orjson.loads(body[:length])["inputs"]  # kserve drops the sizes once it has read the values
        binary = sum(int((each.get("parameters") or {}).get("binary_data_size", 0)) for each in said)
        if length + binary != len(body):
            raise InvalidInput(
                f"“{HEADER}” says {length:,} bytes and the inputs {binary:,} more, but the request has {len(body):,}."
            )


def refuse_unanswerable(request: "InferRequest | PlainRequest") -> None:
    """Whichever way it came. Raises InvalidInput."""
    refuse_id(request.id)
    names = [tensor.name for tensor in request.inputs]
    if not 0 < len(names) <= MOST_INPUTS:
        raise InvalidInput(f"The request has {len(names):,} inputs; between 1 and {MOST_INPUTS:,} are taken.")
    strange = next((name for name in names if not isinstance(name, str) or _UNWRITABLE.search(name)), None)
    if strange is not None:
        raise InvalidInput("The name of an input holds a NUL character or half a character.")
    twice = next((name for name in names if names.count(name) > 1), None) if len(set(names)) < len(names) else None
    if twice is not None:
        raise InvalidInput(f"The input “{twice[:80]}” stands twice in the request.")
    missing_allowed(request)


def refuse_id(given: Any) -> None:
    """Raises InvalidInput for what no log can keep."""
    if given is None:
        return
    if not isinstance(given, str) or len(given) > MOST_ID:
        raise InvalidInput(f"The id of a request is text of at most {MOST_ID} characters.")
    if _UNWRITABLE.search(given):
        raise InvalidInput("The id of the request holds a NUL character or half a character.")


def entity_of(request: "InferRequest | PlainRequest") -> str:
    """Who asks, where `parameters.entity` says so: a user, a device, whatever must meet one model only. Raises InvalidInput."""
    given = (request.parameters or {}).get(ENTITY)
    if given is None:
        return ""
    if isinstance(given, bool) or not isinstance(given, str | int):
        raise InvalidInput(f"“{ENTITY}” is a text or a whole number, not {type(given).__name__}.")
    entity = str(given)
    if len(entity) > MOST_ENTITY:
        raise InvalidInput(f"“{ENTITY}” has {len(entity):,} characters; {MOST_ENTITY} are the most.")
    if _UNWRITABLE.search(entity):
        raise InvalidInput(f"“{ENTITY}” holds a NUL character or half a character.")
    return entity


def missing_allowed(request: Any) -> bool:
    """The switch for features that are not sent. Raises InvalidInput."""
    said = (getattr(request, "parameters", None) or {}).get(ALLOW_MISSING, False)
    if not isinstance(said, bool):
        raise InvalidInput(f"The parameter “{ALLOW_MISSING}” is true or false.")
    return said


async def say_invalid(_: Request, cause: Exception) -> JSONResponse:
    """InvalidInput, without a traceback in the log: anybody could fill it."""
    return JSONResponse({"error": plain(str(cause))}, status_code=400)


async def say_unlike_protocol(_: Request, cause: Exception) -> JSONResponse:
    """What FastAPI found, without the input itself, which may be what no JSON can hold."""
    assert isinstance(cause, RequestValidationError)
    first = cause.errors()[0]
    place = ".".join(str(step) for step in first["loc"] if not str(step).startswith(("body", "InferenceRequest")))
    sentence = f"The request is not as the Open Inference Protocol v2 has it: {place}: {first['msg']}."
    return JSONResponse({"error": plain(sentence)[:400]}, status_code=400)


async def say_not_found(_: Request, cause: Exception) -> JSONResponse:
    return JSONResponse({"error": plain(str(cause))}, status_code=404)
