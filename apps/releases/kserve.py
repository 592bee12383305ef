"""The same release for KServe: an InferenceService as YAML, and the runtime that serves our model files there."""

import math
import re
from typing import Any

import yaml
from django.conf import settings
from django.utils.translation import gettext

from apps.errors import DomainError
from apps.projects.models import Project
from apps.releases.models import ModelVersion
from apps.releases.rollouts.selectors import open_rollout
from apps.releases.selectors import champion_of

FORMAT, RUNTIME = "fastloop", "fastloop"
IMAGE = "fastloop-gpu:latest"  # of docker/gpu.Dockerfile
READABLE = ("s3://", "gs://", "http://", "https://", "pvc://", "hdfs://", "webhdfs://", "hf://", "oci://")
NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")  # what KServe takes; a label of DNS has 63 characters at most


def inference_service(
    project: Project, *, storage_root: str = "", namespace: str = "", stable: bool = False
) -> dict[str, Any]:
    """What serves: the champion, or the version on its way with its weight as `canaryTrafficPercent`.

    KServe gives the rest to the revision that was rolled out before, so `stable` (the champion alone) is applied first.
    Weights are whole percentages there; one between 0 and 1 becomes 1. Raises DomainError.
    """
    champion, rollout = champion_of(project), open_rollout(project)
    if champion is None:
        raise DomainError(gettext("No model of this project serves yet, so there is nothing to write."))
    on_its_way = None if stable else rollout
    version = on_its_way.version if on_its_way else champion
    predictor: dict[str, Any] = {
        "model": {
            "modelFormat": {"name": FORMAT},
            "runtime": RUNTIME,
            "protocolVersion": "v2",
            "storageUri": _readable(version, storage_root),
        }
    }
    if on_its_way:
        predictor = {"canaryTrafficPercent": min(100, math.ceil(on_its_way.weight)), **predictor}
    labels = {"fastloop/project": str(project.pk), "fastloop/version": str(version.number)}
    metadata = {"name": service_name(project.slug), "labels": labels} | ({"namespace": namespace} if namespace else {})
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": metadata,
        "spec": {"predictor": predictor},
    }


def serving_runtime(*, image: str = IMAGE) -> dict[str, Any]:
    """Applied once: our predictor around one model file, without a database, a log or arms; KServe splits the traffic."""
    container = {
        "name": "kserve-container",
        "image": image,
        "command": ["python", "-m", "workers.predictor.alone"],
        "args": ["--model_name={{.Name}}", "--model_dir=/mnt/models", "--http_port=8080"],
        "env": [
            {"name": "SECRET_KEY", "valueFrom": {"secretKeyRef": {"name": "fastloop", "key": "secret-key"}}},
            {"name": "DATABASE_URL", "value": "postgres://nobody@127.0.0.1:1/none"},
            {"name": "REDIS_URL", "value": "redis://127.0.0.1:1/0"},
        ],
        "ports": [{"containerPort": 8080, "protocol": "TCP"}],
    }
    return {
        "apiVersion": "serving.kserve.io/v1alpha1",
        "kind": "ServingRuntime",
        "metadata": {"name": RUNTIME},
        "spec": {
            "supportedModelFormats": [{"name": FORMAT, "version": "1", "autoSelect": True}],
            "protocolVersions": ["v2"],
            "containers": [container],
        },
    }


def as_yaml(*documents: dict[str, Any]) -> str:
    return "---\n".join(yaml.safe_dump(document, sort_keys=False, allow_unicode=True) for document in documents)


def service_name(slug: str) -> str:
    """
    >>> service_name("spam"), service_name("2026-loans")
    ('spam', 'm-2026-loans')
    """
    name = slug.lower().replace("_", "-").strip("-")
    name = (name if name[:1].isalpha() else f"m-{name}")[:63].rstrip("-")
    assert NAME.fullmatch(name), name
    return name


def _readable(version: ModelVersion, storage_root: str) -> str:
    """Where KServe's storage initializer reads the file. Raises DomainError."""
    url, root = version.run.artifact_url, settings.STORAGE_URL.rstrip("/")
    if storage_root and url.startswith(f"{root}/"):
        url = storage_root.rstrip("/") + url.removeprefix(root)
    if not url.startswith(READABLE):
        raise DomainError(
            gettext(
                "KServe cannot read {url}. Name the same storage as its cluster sees it: --storage-root pvc://claim, or "
                "set STORAGE_URL to an s3:// or gs:// address."
            ).format(url=url)
        )
    return url
