"""Gates of a policy on real runs: what is fetched for them, the trial of serving in a process of its own, what a report keeps."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.utils import timezone

from apps.accounts.models import User
from apps.datasets.listing_saved import view_save
from apps.datasets.models import Example
from apps.datasets.versions import VersionRow
from apps.evaluation.gates.policies import GATE_POLICY
from apps.evaluation.gates.services import sensitive_columns_set
from apps.evaluation.models import Outcome, Report
from apps.evaluation.selectors import predictions_of
from apps.loop import services as loop
from apps.projects.models import Project
from apps.projects.policies.services import policy_set
from apps.releases.services import model_promote
from apps.rules.gates import gate_policy_of
from tests.conftest import NOON
from tests.rows import labeled, trained
from workers.tasks.evidence import evidence_read
from workers.tasks.serving import serving_trial

pytestmark = pytest.mark.django_db(transaction=True)
POLICY = {
    "gates": [
        {"type": "loads"},
        {"type": "metric-threshold", "blocking": False, "parameters": {"metric": "accuracy", "threshold": 0.99}},
        {"type": "slices", "parameters": {"by": "truth", "minExamples": 2}},
        {"type": "calibration", "blocking": False, "parameters": {"measure": "brier"}},
        {"type": "infra", "parameters": {"requests": 20, "p95Ms": 5000, "memoryMb": 8000}},
    ]
}


@pytest.mark.usefixtures("brief")
def test_a_report_holds_what_each_gate_of_the_policy_saw(digits: Project, lin: User) -> None:
    policy = policy_set(GATE_POLICY, project=digits, policy=gate_policy_of(POLICY), by=lin, at=NOON)
    loop.run_start_now(project=digits, kind="full", by=lin, at=timezone.now())
    first = Report.objects.get()
    assert (first.gate_policy, first.outcome) == (policy, Outcome.PASS), [g["reason"] for g in first.gates]
    by_name = {gate["name"]: gate for gate in first.gates}
    assert list(by_name) == [gate["type"] for gate in POLICY["gates"]]
    assert by_name["slices"]["reason"] == "There is no champion to compare with."
    trial = by_name["infra"]["details"]
    assert (
        trial["requests"] == 20
        and trial["unlike"] == 0
        and 0 < trial["p95_ms"] < 5000
        and 100 < trial["peak_mb"] < 8000
    )
    assert by_name["metric-threshold"]["blocking"] is False
    assert predictions_of(first).champion == []

    model_promote(version=first.model_version, reason="", by=lin, at=NOON)
    fewer = {"gates": [gate for gate in POLICY["gates"] if gate["type"] != "infra"]}
    policy_set(GATE_POLICY, project=digits, policy=gate_policy_of(fewer), by=lin, at=NOON)
    loop.run_start_now(project=digits, kind="full", by=lin, at=timezone.now())
    second = Report.objects.exclude(pk=first.pk).get()
    assert second.gate_policy is not None and second.gate_policy.number == 2
    slices = next(gate for gate in second.gates if gate["name"] == "slices")["details"]["slices"]
    assert {each["name"] for each in slices} == {f"label “{i}”" for i in range(10)}
    assert sum(each["n"] for each in slices) == second.examples
    said = predictions_of(second)
    assert len(said.champion) == second.examples == len(said.champion_confidence)


def tried(project: Project, artifact: str, **more: Any) -> str:
    ids = list(Example.objects.filter(project=project).values_list("pk", flat=True)[:2])
    return serving_trial(project, artifact, ids, np.ones((2, 2)), **{"timeout_s": 60, **more}).error


def test_what_cannot_be_served_is_said_in_words(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labeled(project, 4)
    (tmp_path / "model").write_bytes(b"no model")
    assert "The model file cannot be read" in tried(project, f"file://{tmp_path}/model")
    (tmp_path / "asleep.py").write_text("import time; time.sleep(60)")
    (tmp_path / "killed.py").write_text("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    (tmp_path / "silent.py").write_text("pass")
    (tmp_path / "fallen.py").write_text("raise SystemExit('no room left')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert tried(project, "x", module="asleep", timeout_s=0.5) == "it had not answered after 0.5 s and was ended."
    assert "ended by SIGKILL" in tried(project, "x", module="killed")
    assert tried(project, "x", module="silent") == "its process said nothing that can be read."
    assert tried(project, "x", module="fallen") == "its process ended with code 1: no room left"


def test_columns_views_and_values_are_fetched_as_the_policy_asks(
    make_project: Callable[..., Project], mona: User
) -> None:
    project = make_project("tabular-classification")
    rows = [
        {"id": f"r{i}", "age": i, "country": ("ES", "FR", None)[i % 3], "label": ("ham", "spam")[i % 2]}
        for i in range(60)
    ]
    loop.batch_take(project=project, rows=rows, source="test", by=None, at=NOON)
    for n, example in enumerate(Example.objects.filter(project=project).order_by("pk")):
        example.holdout = n >= 30
        example.save()
    view_save(project=project, name="Held", query="side=holdout&text=r5", shared=True, by=mona, at=NOON)
    view_save(project=project, name="Own", query="", shared=False, by=mona, at=NOON)
    sensitive_columns_set(project=project, columns=["country"], by=mona, at=NOON)
    run = trained(project)
    kept = list(Example.objects.filter(project=project).order_by("pk").values_list("pk", "holdout"))
    versions = [VersionRow(pk, "ham", held, NOON) for pk, held in kept]
    holdout = [row for row in versions if row.holdout]
    gates = [
        {"type": "loads"},
        {"type": "slices", "parameters": {"by": "view", "names": ["Held", "Own"]}},
        {"type": "slices", "name": "by-age", "parameters": {"by": "column", "names": ["age", "shoe"]}},
        {"type": "fairness"},
        {"type": "data-schema"},
    ]
    truth, sure = np.zeros(30, np.int64), np.full((30, 2), 0.5)
    found = evidence_read(gate_policy_of({"gates": gates}), run, versions, holdout, truth, sure, None)
    assert found["sensitive"] == ("country",) and found["serving"] is None
    assert found["rows"].columns["age"] == tuple(range(30, 60)) and set(found["rows"].columns) == {"age", "country"}
    assert found["rows"].columns["country"][:3] == ("ES", "FR", None)
    assert set(found["rows"].views) == {"Held"}, "what nobody shares is nobody’s slice"
    assert 0 < found["rows"].views["Held"].sum() < 30
    assert found["values"].learned["age"] == tuple(range(30))
    assert sorted(found["values"].incoming["age"]) == list(range(60))
    nothing = evidence_read(gate_policy_of({"gates": gates[:1]}), run, versions, holdout, truth, sure, None)
    assert nothing["values"] is None and nothing["rows"].columns == {}
