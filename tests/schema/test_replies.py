"""Every operation is called, and what comes back is what the schema says: status, kind, every key."""

import json
import os

import pytest

from apps.releases import inference
from fastloop_console.api_schema import EXAMPLES, recorded
from tests.schema.calls import Asked, in_order
from tests.schema.documents import Schema

ANSWER = {
    "model_name": "mail",
    "model_version": "1",
    "id": "q-1",
    "parameters": {},
    "outputs": [
        {"name": "label", "datatype": "BYTES", "shape": [1], "data": ["ham"]},
        {"name": "confidence", "datatype": "FP32", "shape": [1], "data": [0.93]},
    ],
}


@pytest.fixture
def answered(monkeypatch: pytest.MonkeyPatch) -> None:
    """A predictor that answers as ours does."""
    monkeypatch.setattr(inference, "predict", lambda **_: ANSWER)


def test_every_operation_answers_as_the_schema_says(asked: Asked, schema: Schema, answered: None) -> None:
    faults, refused = [], {}
    for operation in in_order(schema.operations):
        try:
            reply = asked.call(operation)
        except KeyError as missing:  # what an earlier call should have given
            faults.append(f"{operation.id} needs {missing}")
            continue
        faults.extend(schema.faults(operation.id, reply))
        if reply.status_code >= 400:
            refused[operation.id] = (reply.status_code, reply.content[:300].decode())
    assert not faults, "\n".join([*faults, *map(str, refused.items())])
    assert refused == {}, "each call should work, or it shows nobody how"
    if os.environ.get("RECORD_API_EXAMPLES"):
        EXAMPLES.write_text(json.dumps(_examples(asked), indent=1, ensure_ascii=False, default=str) + "\n")
    assert set(recorded()) == set(schema.operations), "RECORD_API_EXAMPLES=1 writes an example of each"


def _examples(asked: Asked) -> dict[str, object]:
    found = {}
    for name, reply in sorted(asked.replies.items()):
        found[name] = {} if asked.sent[name] is None else {"request": asked.sent[name]}
        if reply.headers.get("Content-Type") == "application/json" and getattr(reply, "content", b""):
            found[name]["response"] = _shortened(reply.json())
    return found


def _shortened(value: object) -> object:
    """The first two of every list: an example is read by a person."""
    if isinstance(value, dict):
        return {key: _shortened(each) for key, each in value.items()}
    return [_shortened(each) for each in value[:2]] if isinstance(value, list) else value


def test_the_examples_fit_the_schema(schema: Schema) -> None:
    faults = []
    for name, example in recorded().items():
        responses = schema.operations[name].body["responses"]
        content = next((v.get("content", {}) for k, v in responses.items() if k.startswith("2")), {})
        if "response" in example:
            faults.extend(schema.misfits(name, content["application/json"]["schema"], example["response"]))
        if "request" in example:
            body = schema.operations[name].body["requestBody"]["content"]["application/json"]["schema"]
            faults.extend(schema.misfits(name, body, example["request"]))
    assert not faults, "\n".join(faults)
