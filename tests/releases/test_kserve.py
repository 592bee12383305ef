"""`manage.py kserve_manifest`: the release as KServe takes it, every key one that the SDK's own classes have."""

from typing import Any

import pytest
import yaml
from django.core.management import call_command
from django.core.management.base import CommandError
from kserve import (
    V1alpha1ServingRuntimeSpec,
    V1alpha1SupportedModelFormat,
    V1beta1InferenceService,
    V1beta1InferenceServiceSpec,
    V1beta1ModelFormat,
    V1beta1ModelSpec,
    V1beta1PredictorSpec,
)

from apps.training.models import Run
from tests.releases.rollouts.test_services import ready, released  # noqa: F401  a fixture

ROOT = ["--storage-root", "pvc://models/console/"]


@pytest.fixture
def stored(ready, settings):  # noqa: F811
    settings.STORAGE_URL = "file:///srv/storage"
    for run in Run.objects.all():
        Run.objects.filter(pk=run.pk).update(artifact_url=f"file:///srv/storage/models/{run.number}.safetensors")
    return ready


def written(capsys, *arguments: str) -> list[dict[str, Any]]:
    capsys.readouterr()
    call_command("kserve_manifest", *arguments)
    return list(yaml.safe_load_all(capsys.readouterr().out))


def keys_of(kind: type) -> set[str]:
    return set(kind.attribute_map.values())


def test_the_champion_is_an_inference_service_of_the_shape_that_the_sdk_knows(stored, capsys):
    (service,) = written(capsys, stored.slug, *ROOT)
    assert set(service) <= keys_of(V1beta1InferenceService) and set(service["spec"]) <= keys_of(
        V1beta1InferenceServiceSpec
    )
    predictor = service["spec"]["predictor"]
    assert set(predictor) <= keys_of(V1beta1PredictorSpec) and set(predictor["model"]) <= keys_of(V1beta1ModelSpec)
    assert set(predictor["model"]["modelFormat"]) <= keys_of(V1beta1ModelFormat)
    assert (service["apiVersion"], service["kind"]) == ("serving.kserve.io/v1beta1", "InferenceService")
    assert predictor["model"]["storageUri"] == "pvc://models/console/models/1.safetensors"
    assert "canaryTrafficPercent" not in predictor and service["metadata"]["labels"]["fastloop/version"] == "1"


@pytest.mark.parametrize(("weight", "percent"), [(20, 20), (0, 0), (0.5, 1), (99.5, 100)])
def test_what_is_on_its_way_has_its_weight_as_whole_percent(stored, lin, capsys, weight, percent):
    rollout = released(stored, lin)
    rollout.weight = weight
    rollout.save()
    (service,) = written(capsys, str(stored.pk), *ROOT)
    predictor = service["spec"]["predictor"]
    assert predictor["canaryTrafficPercent"] == percent
    assert predictor["model"]["storageUri"].endswith("/2.safetensors")
    (stable,) = written(capsys, str(stored.pk), *ROOT, "--stable")
    assert "canaryTrafficPercent" not in stable["spec"]["predictor"]
    assert stable["spec"]["predictor"]["model"]["storageUri"].endswith("/1.safetensors")


def test_the_runtime_runs_our_predictor_around_one_file(stored, capsys):
    runtime, service = written(
        capsys, stored.slug, *ROOT, "--runtime", "--image", "registry/fastloop:1", "--namespace", "ml"
    )
    assert set(runtime["spec"]) <= keys_of(V1alpha1ServingRuntimeSpec)
    assert set(runtime["spec"]["supportedModelFormats"][0]) <= keys_of(V1alpha1SupportedModelFormat)
    (container,) = runtime["spec"]["containers"]
    assert (
        container["command"] == ["python", "-m", "workers.predictor.alone"]
        and container["image"] == "registry/fastloop:1"
    )
    assert service["spec"]["predictor"]["model"]["runtime"] == runtime["metadata"]["name"]
    assert service["metadata"]["namespace"] == "ml"


def test_what_cannot_be_written_is_said(stored, lin, make_project):
    with pytest.raises(CommandError, match="There is no project “nowhere”"):
        call_command("kserve_manifest", "nowhere")
    with pytest.raises(CommandError, match=r"KServe cannot read file:///srv/storage/models/1\.safetensors"):
        call_command("kserve_manifest", stored.slug)
    with pytest.raises(CommandError, match="No model of this project serves yet"):
        call_command("kserve_manifest", str(make_project().pk))
