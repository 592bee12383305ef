"""`python -m workers.predictor --http_port 8080`: the model server process."""

import asyncio
import logging
import os
import sys
from socket import gethostname
from typing import Any
from urllib.parse import urlsplit

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fastloop_console.settings.local")
django.setup()

from fastloop_console.machine.without_pandas import keep_pandas_out  # noqa: E402  after Django is set up
from workers.predictor.without_kubernetes import kserve_imported  # noqa: E402

kserve_imported()
keep_pandas_out()

import uvloop  # noqa: E402
from django.conf import settings  # noqa: E402
from fastapi import FastAPI  # noqa: E402
from fastapi.exceptions import RequestValidationError  # noqa: E402
from kserve import ModelServer, model_server  # noqa: E402
from kserve.errors import InvalidInput, ModelNotFound  # noqa: E402
from kserve.model_repository import ModelRepository  # noqa: E402
from kserve.protocol.rest.server import RESTServer  # noqa: E402

from fastloop_console.machine import env  # noqa: E402
from fastloop_console.machine.instance import EXTENSION  # noqa: E402
from fastloop_console.machine.refusals import CannotStart  # noqa: E402
from workers.predictor.door import Door  # noqa: E402
from workers.predictor.grpc_door import BoundGrpcServer  # noqa: E402
from workers.predictor.kept import KeptRelease  # noqa: E402
from workers.predictor.log import PredictionLog  # noqa: E402
from workers.predictor.requests import CheckedDataPlane, say_invalid, say_not_found, say_unlike_protocol  # noqa: E402
from workers.predictor.route import InferRoute  # noqa: E402
from workers.predictor.watch import Watcher  # noqa: E402

SWITCH_S = 0.0005  # threads that write the log and look give way to a request after this long; Python's own is ten times as long
QUIET = ("uvicorn.access", "uvicorn.error", "kserve", "kserve.trace")


class PlainServer(RESTServer):
    """kserve's, with the short way for requests of JSON and refusals in words."""

    def _add_middlewares(self, app: FastAPI) -> None:
        super()._add_middlewares(app)
        app.add_middleware(InferRoute, repository=self.dataplane.model_registry)

    def _add_exception_handlers(self, app: FastAPI) -> None:
        super()._add_exception_handlers(app)
        app.add_exception_handler(InvalidInput, say_invalid)
        app.add_exception_handler(ModelNotFound, say_not_found)
        app.add_exception_handler(RequestValidationError, say_unlike_protocol)


class BoundServer(PlainServer):
    """kserve listens on every interface; ours on PREDICTOR_HOST, which is this machine alone unless said otherwise."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.config.host = env.predictor_host()

    def _add_middlewares(self, app: FastAPI) -> None:
        """The door stands before everything else that kserve adds."""
        super()._add_middlewares(app)
        names = {env.predictor_host(), urlsplit(settings.PREDICTOR_URL).hostname or ""}
        app.add_middleware(Door, key=settings.PREDICTOR_KEY, names=names, wants_key=env.predictor_auth())


class NamedDataPlane(CheckedDataPlane):
    """Says in its metadata whose predictor this is, where the protocol leaves room for a server's own words."""

    def metadata(self) -> dict[str, Any]:
        standard = super().metadata()
        return {**standard, "extensions": [*standard["extensions"], f"{EXTENSION}{settings.INSTANCE_ID}"]}


def main() -> None:
    try:
        env.predictor_auth()
    except CannotStart as refused:
        sys.exit(str(refused))
    sys.setswitchinterval(SWITCH_S)
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    asyncio.set_event_loop(asyncio.new_event_loop())  # kserve asks for one before it runs its own
    model_server.RESTServer, model_server.DataPlane = BoundServer, NamedDataPlane
    model_server.GRPCServer = BoundGrpcServer
    own = settings.HOME / "predictor" / str(env.predictor_port())
    repository, log, kept = ModelRepository(), PredictionLog(own / "log"), KeptRelease(own)
    watcher = Watcher(repository, log, kept, f"{gethostname()}:{env.predictor_port()}")
    log.start()
    watcher.start()
    server = ModelServer(  # it sets kserve's own log levels, so ours follow it
        http_port=env.predictor_port(),
        registered_models=repository,
        grpc_port=env.predictor_grpc_port(),
        enable_grpc=env.predictor_grpc_port() > 0,
        enable_latency_logging=False,
        grace_period=5,
    )
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        server.start([])
    finally:
        watcher.close()
        log.close()


if __name__ == "__main__":
    main()
