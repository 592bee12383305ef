"""`python -m workers.predictor.alone --model_name NAME --model_dir FOLDER`: one model file behind a port, as KServe's runtime.

No database, no log, no arms and no key: there KServe splits the traffic and stands in front. The same checks and answers.
"""

import os
import sys
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fastloop_console.settings.local")
django.setup()

from fastloop_console.machine.without_pandas import keep_pandas_out  # noqa: E402  after Django is set up
from workers.predictor.without_kubernetes import kserve_imported  # noqa: E402

kserve_imported()
keep_pandas_out()

from kserve import ModelServer, model_server  # noqa: E402
from kserve.model_repository import ModelRepository  # noqa: E402

from apps.monitoring.log.services import LoggedPrediction  # noqa: E402
from workers.predictor.__main__ import NamedDataPlane, PlainServer  # noqa: E402
from workers.predictor.arms import LoadedModel, ServingArms  # noqa: E402
from workers.predictor.log import PredictionLog  # noqa: E402
from workers.predictor.models import ProjectModel  # noqa: E402
from workers.training.models.bundle import BundleUnreadable, load  # noqa: E402


class NoLog(PredictionLog):
    """Nobody reads it here."""

    def add(self, rows: list[LoggedPrediction]) -> None:
        pass


def model_in(folder: Path, name: str) -> ProjectModel:
    """The one model file of the folder. Raises SystemExit, with a sentence."""
    files = sorted(folder.glob("*.safetensors")) if folder.is_dir() else [folder]
    if len(files) != 1 or not files[0].is_file():
        sys.exit(f"{folder} holds {len(files)} model files (*.safetensors); one is served.")
    try:
        bundle = load(files[0].read_bytes())
    except BundleUnreadable as cause:
        sys.exit(f"{files[0].name} does not load: {cause}")
    return ProjectModel(name, ServingArms(LoadedModel(bundle, 1, 0, files[0].as_uri())), NoLog(folder))


def main(arguments: list[str]) -> None:
    model_server.parser.add_argument("--model_dir", required=True)
    given: Any = model_server.parser.parse_args(arguments)
    repository = ModelRepository()
    repository.update(model_in(Path(given.model_dir), given.model_name))
    model_server.RESTServer, model_server.DataPlane = PlainServer, NamedDataPlane
    ModelServer(http_port=given.http_port, registered_models=repository, enable_grpc=False, grace_period=5).start([])


if __name__ == "__main__":
    main(sys.argv[1:])
