"""`python -m workers.predictor --http_port 8080`: the model server process."""

import logging
import os
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fastloop_console.settings.local")
django.setup()

from fastloop_console.machine.without_pandas import keep_pandas_out  # noqa: E402  after Django is set up
from workers.predictor.without_kubernetes import kserve_imported  # noqa: E402

kserve_imported()
keep_pandas_out()

from django.conf import settings  # noqa: E402
from kserve import ModelServer, model_server  # noqa: E402
from kserve.model_repository import ModelRepository  # noqa: E402
from kserve.protocol.dataplane import DataPlane  # noqa: E402
from kserve.protocol.rest.server import RESTServer  # noqa: E402

from fastloop_console.machine import env  # noqa: E402
from fastloop_console.machine.instance import EXTENSION  # noqa: E402
from workers.predictor.log import PredictionLog  # noqa: E402
from workers.predictor.watch import Watcher  # noqa: E402

QUIET = ("uvicorn.access", "uvicorn.error", "kserve", "kserve.trace")


class BoundServer(RESTServer):
    """kserve listens on every interface; ours on PREDICTOR_HOST, which is this machine alone unless said otherwise."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.config.host = env.predictor_host()


class NamedDataPlane(DataPlane):
    """Says in its metadata whose predictor this is, where the protocol leaves room for a server's own words."""

    def metadata(self) -> dict[str, Any]:
        standard = super().metadata()
        return {**standard, "extensions": [*standard["extensions"], f"{EXTENSION}{settings.INSTANCE_ID}"]}


def main() -> None:
    model_server.RESTServer, model_server.DataPlane = BoundServer, NamedDataPlane
    repository, log = ModelRepository(), PredictionLog()
    watcher = Watcher(repository, log)
    log.start()
    watcher.start()
    server = ModelServer(  # it sets kserve's own log levels, so ours follow it
        http_port=env.predictor_port(),
        registered_models=repository,
        enable_grpc=False,
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
