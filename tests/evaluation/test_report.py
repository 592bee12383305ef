"""The report of a candidate: its page, its JSON, its model card, and the override of its gates."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.audit.models import Event
from apps.datasets.models import Example
from apps.errors import Invalid
from apps.evaluation.models import Outcome, Report
from apps.evaluation.reporting.overriding import GatesNotOverridden, gates_override
from apps.evaluation.reporting.page import bins_of, report_page
from apps.evaluation.services import HoldoutPredictions, _parquet
from apps.integrations import wiring
from apps.projects.models import Project
from apps.releases.models import Alias
from apps.releases.services import GateClosed, model_promote
from tests.api import api_of
from tests.conftest import NOON
from tests.rows import labeled, model

As = Callable[[User], Client]
WHY = "The rare label matters more to us than the mean does."
SLICE = {
    "name": "country “ES”",
    "parts": {"pattern": "{column} “{value}”", "values": {"column": "country", "value": "ES"}},
    "n": 40, "candidate": 0.8, "champion": 0.9, "change": -0.1, "low": -0.2, "high": -0.01, "q": 0.02,
}  # fmt: skip


def said(report: Report, ids: list[int], **more: list[Any]) -> None:
    """Another file of single answers: truth ham, the champion right on the first half and the candidate on the second."""
    n = len(ids)
    half = ["ham"] * (n // 2) + ["spam"] * (n - n // 2)
    kept = {
        "truth": ["ham"] * n,
        "predicted": half[::-1],
        "confidence": [0.5 + i / (4 * n) for i in range(n)],
        "champion": half,
        "champion_confidence": [0.75] * n,
    } | more
    report.predictions_url = wiring.storage().write(
        f"reports/test/{report.pk}.parquet", _parquet(HoldoutPredictions(ids, **kept))
    )
    report.save()


@pytest.fixture
def report(project: Project) -> Report:
    """Of a second model, beside the first, with slices, groups, a trial and faults of what comes in."""
    labeled(project, 40)
    first = model(project)
    second = model(project, Outcome.FAIL, base=first.run)
    found = second.report
    ids = list(Example.objects.filter(project=project).order_by("pk").values_list("pk", flat=True))
    said(found, ids)
    group = {"group": "ES", "n": 30, "of_truth": 10, "accuracy": 0.9, "selection_rate": 0.4, "true_positive_rate": 0.8}
    found.gates = [
        {"name": "loads", "type": "loads", "title": "It loads and answers", "outcome": "pass", "reason": "It does."},
        {
            "name": "slices", "type": "slices", "title": "No slice pays for the mean", "outcome": "fail", "blocking": True,
            "reason": "Worst of 1 slice: country “ES” changes by −10.0 points on 40 examples; surely worse.",
            "details": {"slices": [SLICE], "small": 0, "worst": {"name": SLICE["name"], "parts": {}, "examples": ids[:3]}},
        },
        {
            "name": "fairness", "type": "fairness", "title": "Groups are treated alike", "outcome": "inconclusive",
            "blocking": False, "reason": "May be chance.",
            "details": {"tables": [{"column": "country", "label": "spam", "groups": [{**group, "false_positive_rate": None}]}]},
        },
        {
            "name": "infra", "type": "infra", "title": "A predictor serves it", "outcome": "pass", "reason": "In time.",
            "details": {"requests": 20, "p95_ms": 3.24, "peak_mb": 612.0, "load_s": 0.5},
        },
        {
            "name": "data-schema", "type": "data-schema", "title": "What comes in", "outcome": "pass", "reason": "Like it.",
            "details": {"rows": 100, "faults": [
                {"column": "age", "fault": "range", "words": "is out of the range", "rows": 1, "share": 0.01, "seen": "200"}
            ]},
        },
    ]  # fmt: skip
    found.save()
    return found


def at(name: str, report: Report) -> str:
    return reverse(f"reports:{name}", args=[report.run.project_id, report.run_id])


def test_the_page_shows_all_that_the_verdict_rests_on(as_: As, lin: User, report: Report) -> None:
    page = as_(lin).get(at("report", report)).text
    for words in (
        "Report of v2, run 2",
        "Fail: 1 of 4 gates",
        "Beside run 1, the champion then",
        "country “ES”",
        "−10.0",
        "0.020",
        "Where true",
        "is out of the range",
        "95 % within 3.2 ms, 612 MB at most",
        "They differ on 40: 20 lost, 20 gained, 0 wrong either way.",
        "warns",
    ):
        assert words in page, words
    example = Example.objects.order_by("pk").first()
    assert example is not None
    assert reverse("examples:page", args=[report.run.project_id, example.pk]) in page


def test_twenty_examples_show_both_ways_the_surest_first(report: Report) -> None:
    found = report_page(report).differing
    assert found is not None and (found.lost, found.gained, found.neither, len(found.examples)) == (20, 20, 0, 20)
    lost = [e for e in found.examples if e.lost]
    assert len(lost) == 10 and [e.lost for e in found.examples] == [True] * 10 + [False] * 10
    assert [e.candidate_confidence for e in lost] == sorted((e.candidate_confidence for e in lost), reverse=True)


def test_charts_are_the_confusion_and_the_certainty(as_: As, lin: User, report: Report) -> None:
    figures = as_(lin).get(at("figures", report)).json()
    assert set(figures) == {"confusion", "calibration"}
    (line,) = figures["calibration"]["data"]
    assert line["x"] == sorted(line["x"]) and all(0 <= y <= 1 for y in line["y"])
    assert "sure on average" in figures["calibration"]["layout"]["meta"]["finding"]


def test_bins_hold_each_example_once_and_nothing_that_is_no_number() -> None:
    nan = float("nan")
    found = bins_of(HoldoutPredictions([1, 2, 3, 4], ["a"] * 4, ["a", "b", "a", "a"], [0.05, 0.55, 1.0, nan]))
    assert [(b.low, b.n, b.right) for b in found] == [(0.0, 1, 1.0), (0.5, 1, 0.0), (0.9, 1, 1.0)]


def test_the_json_says_the_same(lin: User, ada: User, report: Report) -> None:
    address = f"/api/v1/runs/{report.run_id}/report/"
    told = api_of(lin).get(address).json()
    assert (told["run_number"], told["model_version"], told["baseline_run_number"]) == (2, 2, 1)
    assert (told["outcome"], told["override"], told["gate_policy"]) == ("fail", None, 0)
    assert told["gates"][1]["details"]["slices"][0]["change"] == -0.1
    assert (told["differing"]["lost"], len(told["differing"]["examples"])) == (20, 20)
    assert sum(each["n"] for each in told["calibration"]) == 40
    assert api_of(ada).get(address).status_code == 403


def test_the_card_is_markdown_that_names_all_and_breaks_nowhere(as_: As, lin: User, report: Report) -> None:
    report.per_class = [{"label": "a|b\n*c*", "support": 3, "recall": 0.5, "precision": None}]
    report.save()
    reply = as_(lin).get(at("card", report))
    assert reply["Content-Type"] == "text/markdown; charset=utf-8" and ".md" in reply["Content-Disposition"]
    card = reply.content.decode()
    for words in (
        "model card",
        "**fail** on 100 holdout examples",
        "## Slices",
        "## Groups",
        "## Serving",
        "20 lost, 20 gained",
    ):
        assert words in card, words
    assert "| a\\|b \\*c\\* | 3 | 50.0 % | none |" in card
    assert api_of(lin).get(f"/api/v1/runs/{report.run_id}/model-card/").content.decode() == card
    tables = [line for line in card.splitlines() if line.startswith("|")]
    assert all(line.endswith("|") for line in tables)


def test_a_report_without_single_answers_says_so(as_: As, lin: User, project: Project) -> None:
    labeled(project)
    old = model(project).report
    assert "No champion’s single answers were kept with this report." in as_(lin).get(at("report", old)).text
    old.predictions_url = "file:///gone.parquet"
    old.save()
    assert "The file with the single answers cannot be read now" in as_(lin).get(at("report", old)).text
    assert api_of(lin).get(f"/api/v1/runs/{old.run_id}/report/").json()["calibration"] == []
    assert "model card" in as_(lin).get(at("card", old)).content.decode()


def test_an_example_that_was_deleted_is_a_number_without_a_link(as_: As, lin: User, mona: User, report: Report) -> None:
    gone = report_page(report).differing.examples[0]  # type: ignore[union-attr]
    example = Example.objects.get(pk=gone.example_id)
    Example.objects.filter(pk=example.pk).delete()
    page = as_(lin).get(at("report", report))
    assert (
        page.status_code == 200
        and reverse("examples:page", args=[example.project_id, gone.example_id]) not in page.text
    )


def test_a_run_that_was_not_judged_has_none(as_: As, lin: User, project: Project) -> None:
    address = reverse("reports:report", args=[project.pk, 987654])
    assert as_(lin).get(address).status_code == 404
    assert api_of(lin).get("/api/v1/runs/987654/report/").status_code == 404


# --- override


def test_a_manager_overrides_and_an_engineer_releases(as_: As, mona: User, lin: User, report: Report) -> None:
    version = report.model_version
    with pytest.raises(GateClosed):
        model_promote(version=version, reason=WHY, by=lin, at=NOON)
    assert "Override the gates" in as_(mona).get(at("report", report)).text
    assert as_(mona).post(at("override", report), {"reason": WHY}).status_code == 302
    report.refresh_from_db()
    assert (report.overridden_by, report.override_reason, report.outcome) == (mona, WHY, Outcome.FAIL)
    event = Event.objects.get(verb="gates.overridden")
    assert (event.sentence, event.after) == ("Mona overrode 1 gate of run 2.", {"gates": ["slices"], "reason": WHY})
    model_promote(version=version, reason="", by=lin, at=NOON)
    assert Alias.objects.get(project=report.run.project, name="champion").version == version


def test_what_was_overridden_is_marked_wherever_it_is_listed(as_: As, mona: User, lin: User, report: Report) -> None:
    project = report.run.project_id
    gates_override(report=report, reason=WHY, by=mona, at=NOON)
    assert "gates overridden" in as_(lin).get(reverse("releases:models", args=[project])).text
    assert "gates overridden" in as_(lin).get(reverse("lineage:run", args=[project, report.run_id])).text
    page = as_(lin).get(at("report", report)).text
    assert "Mona overrode the gates" in page and WHY in page
    assert f"Gates overridden by Mona: {WHY}" in as_(lin).get(at("card", report)).content.decode()
    listed = api_of(lin).get(f"/api/v1/projects/{project}/models/").json()["results"]
    assert [each["overridden"] for each in listed] == [True, False]


@pytest.mark.parametrize("reason", ["", "too short", " " * 30 + "x", "x" * 401])
def test_without_a_good_reason_nothing_changes(as_: As, mona: User, report: Report, reason: str) -> None:
    assert as_(mona).post(at("override", report), {"reason": reason}).status_code == 422
    assert (
        api_of(mona).post(f"/api/v1/runs/{report.run_id}/override/", {"reason": reason}, format="json").status_code
        == 422
    )
    report.refresh_from_db()
    assert not report.overridden and not Event.objects.filter(verb="gates.overridden").exists()


def test_who_releases_may_not_override(as_: As, lin: User, report: Report) -> None:
    assert "Override the gates" not in as_(lin).get(at("report", report)).text
    assert as_(lin).post(at("override", report), {"reason": WHY}).status_code == 403
    report.refresh_from_db()
    assert not report.overridden


def test_there_is_nothing_to_override_twice_where_all_pass_or_where_it_does_not_load(
    mona: User, report: Report
) -> None:
    passed = Report.objects.exclude(pk=report.pk).get()
    with pytest.raises(GatesNotOverridden, match="nothing to override"):
        gates_override(report=passed, reason=WHY, by=mona, at=NOON)
    broken = report.gates
    report.gates = [{**broken[0], "outcome": "fail"}, *broken[1:]]
    report.save()
    with pytest.raises(GatesNotOverridden, match="does not load"):
        gates_override(report=report, reason=WHY, by=mona, at=NOON)
    report.gates = broken
    report.save()
    gates_override(report=report, reason=WHY, by=mona, at=NOON)
    with pytest.raises(GatesNotOverridden, match="overridden already"):
        gates_override(report=report, reason=WHY + " Again.", by=mona, at=NOON)
    report.refresh_from_db()
    assert report.override_reason == WHY


def test_an_override_stands_for_the_written_reason_of_a_doubt(mona: User, lin: User, project: Project) -> None:
    labeled(project)
    version = model(project, Outcome.INCONCLUSIVE)
    with pytest.raises(Invalid):
        model_promote(version=version, reason="", by=lin, at=NOON)
    gates_override(report=version.report, reason=WHY, by=mona, at=NOON)
    model_promote(version=version, reason="", by=lin, at=NOON)
