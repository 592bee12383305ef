"""`python -m workers.predictor --http_port 8080`: the model server process."""

import logging
import os
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fastloop_console.settings.local")
django.setup()

from kserve import ModelServer, model_server  # noqa: E402  after Django is set up
from kserve.model_repository import ModelRepository  # noqa: E402
from kserve.protocol.rest.server import RESTServer  # noqa: E402

from fastloop_console.machine import env  # noqa: E402
from workers.predictor.log import PredictionLog  # noqa: E402
from workers.predictor.watch import Watcher  # noqa: E402

QUIET = ("uvicorn.access", "uvicorn.error", "kserve", "kserve.trace")


class BoundServer(RESTServer):
    """kserve listens on every interface; ours on PREDICTOR_HOST, which is this machine alone unless said otherwise."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.config.host = env.predictor_host()


def main() -> None:
    model_server.RESTServer = BoundServer
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
