"""`python -m tests.bench._bare PORT NAME=FILE ...`: the bare kserve SDK with the same torch modules, as its examples have it.

No log, no arms, no checks, no batching, no key; only the probabilities in its answers. Its own log lines are off, as ours are.
"""

import base64
import logging
import sys
from pathlib import Path
from typing import Any

import torch
from kserve import InferOutput, InferRequest, InferResponse, Model, ModelServer
from kserve.utils.utils import generate_uuid

from workers.training.encoders.encoder import encoder
from workers.training.models.bundle import Bundle, load


class BareModel(Model):
    def __init__(self, name: str, bundle: Bundle) -> None:
        super().__init__(name)
        self.bundle, self.ready = bundle, True

    async def predict(self, payload: InferRequest, headers: dict[str, str] | None = None) -> InferResponse:
        with torch.inference_mode():
            logits = self.bundle.module(self.bundle.preprocessor.tensor(self.rows(payload)))
            found = torch.softmax(logits / self.bundle.temperature, dim=1)
        output = InferOutput("probabilities", list(found.shape), "FP64", found.flatten().tolist())
        return InferResponse(response_id=generate_uuid(), model_name=self.name, infer_outputs=[output])

    def rows(self, payload: InferRequest) -> Any:
        if self.bundle.task_type == "image-classification":
            return [base64.b64decode(value) for value in payload.inputs[0].data]
        if self.bundle.task_type == "text-classification":
            return encoder(self.bundle.encoder).encode(payload.inputs[0].data).astype("float32")
        columns = {each.name: each.data for each in payload.inputs}
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


if __name__ == "__main__":
    port, *named = sys.argv[1:]
    server = ModelServer(http_port=int(port), enable_grpc=False, enable_latency_logging=False)
    for quiet in ("uvicorn.access", "uvicorn.error", "kserve", "kserve.trace"):
        logging.getLogger(quiet).setLevel(logging.WARNING)
    sys.argv[1:] = []
    server.start(
        [BareModel(name, load(Path(file).read_bytes())) for name, file in (each.split("=", 1) for each in named)]
    )
