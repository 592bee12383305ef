"""Runs mirrored to an MLflow tracking server, whichever version of it speaks the REST API 2.0.

The client is mlflow-skinny, imported at the first use: it costs three seconds, and nobody pays them who has no server.
Credentials are MLflow's own variables (MLFLOW_TRACKING_USERNAME, MLFLOW_TRACKING_PASSWORD, MLFLOW_TRACKING_TOKEN).
"""

import os
import tempfile
from pathlib import Path
from typing import Any

from apps.integrations.integration import Integration, Port
from apps.integrations.ports import Tracked, TrackedRun, Unavailable

RUN_TAG = "fastloop.run"  # our run's id; a run that was created just before a crash is found by it
STATUS = {
    "queued": "SCHEDULED",
    "running": "RUNNING",
    "completed": "FINISHED",
    "failed": "FAILED",
    "canceled": "KILLED",
}
ENDED = ("FINISHED", "FAILED", "KILLED")
MOST_METRICS, MOST_PARAMS, MOST_PARAM = 1000, 100, 6000  # of one request; characters of a value
FOLDER = "model"


class MlflowTracking:
    """Raises Unavailable with the server's words; what was written so far is not written twice by the next call."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self._client: Any = None

    def mirror(self, run: TrackedRun) -> Tracked:
        client = self._connected()
        from mlflow.exceptions import MlflowException
        from requests.exceptions import RequestException

        try:
            return self._mirror(client, run)
        except (MlflowException, RequestException, OSError) as broken:
            raise Unavailable(f"MLflow at {self.uri} did not take run {run.key}: {_first_line(broken)}") from broken

    def _connected(self) -> Any:
        if self._client is None:
            os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")  # our own row is the retry
            os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")
            os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
            from mlflow import MlflowClient

            self._client = MlflowClient(tracking_uri=self.uri, registry_uri=self.uri)
        return self._client

    def _mirror(self, client: Any, run: TrackedRun) -> Tracked:
        tracking_run = run.tracking_run or self._found(client, run) or self._created(client, run)
        self._log(client, tracking_run, run)
        status = STATUS[run.state]
        if status in ENDED:
            client.set_terminated(tracking_run, status=status, end_time=run.ended_ms)
        else:
            client.update_run(tracking_run, status=status)
        version = run.registry_version
        if run.model is not None and not version:
            version = self._registered(client, tracking_run, run)
        if version:
            self._alias(client, run, version)
        return Tracked(tracking_run, version)

    def _experiment(self, client: Any, name: str) -> str:
        found = client.get_experiment_by_name(name)
        return str(found.experiment_id if found else client.create_experiment(name))

    def _found(self, client: Any, run: TrackedRun) -> str:
        experiment = self._experiment(client, run.experiment)
        rows = client.search_runs([experiment], f"tags.`{RUN_TAG}` = '{run.key}'", max_results=1)
        return str(rows[0].info.run_id) if rows else ""

    def _created(self, client: Any, run: TrackedRun) -> str:
        made = client.create_run(
            self._experiment(client, run.experiment),
            start_time=run.started_ms,
            run_name=run.name,
            tags={RUN_TAG: run.key},
        )
        return str(made.info.run_id)

    def _log(self, client: Any, tracking_run: str, run: TrackedRun) -> None:
        from mlflow.entities import Metric, Param, RunTag

        params = [Param(name, str(value)[:MOST_PARAM]) for name, value in run.params.items()]
        tags = [RunTag(name, value) for name, value in run.tags.items()]
        metrics = [Metric(m.name, m.value, m.at_ms, m.step) for m in run.metrics]
        for start in range(0, max(len(params), 1), MOST_PARAMS):
            client.log_batch(tracking_run, params=params[start : start + MOST_PARAMS], tags=tags if not start else ())
        for start in range(0, len(metrics), MOST_METRICS):
            client.log_batch(tracking_run, metrics=metrics[start : start + MOST_METRICS])

    def _registered(self, client: Any, tracking_run: str, run: TrackedRun) -> str:
        """Upload the model's file and register it. A version of this run that is there already is not made again."""
        assert run.model is not None
        if not any(
            m.name == run.registry_name for m in client.search_registered_models(f"name = '{run.registry_name}'")
        ):
            client.create_registered_model(run.registry_name)
        have = client.search_model_versions(f"run_id = '{tracking_run}'")
        if have:
            return str(have[0].version)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / run.model.filename
            file.write_bytes(run.model.read())
            client.log_artifact(tracking_run, str(file), FOLDER)
        source = f"{client.get_run(tracking_run).info.artifact_uri}/{FOLDER}"
        made = client.create_model_version(
            run.registry_name, source, tracking_run, tags={RUN_TAG: run.key, "fastloop.version": run.model.version}
        )
        return str(made.version)

    def _alias(self, client: Any, run: TrackedRun, version: str) -> None:
        have = set(client.get_model_version(run.registry_name, version).aliases)
        for alias in run.aliases - have:
            client.set_registered_model_alias(run.registry_name, alias, version)
        for alias in have - run.aliases:
            client.delete_registered_model_alias(run.registry_name, alias)


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__


MLFLOW = Integration("mlflow", "MLflow", Port.TRACKING, MlflowTracking, "MLFLOW_TRACKING_URI")
