"""The list of versions, what tells two of them apart, and how long they stay."""

import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.datasets.models import DatasetVersion, Example, VersionPolicy
from apps.datasets.versions import VersionRow, version_write
from apps.datasets.versions.storing import forget_remembered
from apps.labeling.lineage import labels_now
from apps.labeling.models import Annotation, Assignment, AutoLabel, Label, LabelSource
from apps.projects.models import Project
from apps.training.models import Run
from tests.api import api_of, at
from tests.conftest import NOON
from tests.datasets.test_versions import read, table_folder
from tests.rows import auto_labeled, labeled, started

As = Callable[[User], Client]
DAY = timedelta(days=1)
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    forget_remembered()
    yield


def answered(example: Example, person: User, name: str, **more: Any) -> Annotation:
    """One answer that stands behind a label."""
    label = example.project.labels.get(name=name)
    given = {"slot": 0, "state": "answered", "lane": "active", "rank": 1, **more}
    assignment = Assignment.objects.create(
        project=example.project,
        example=example,
        holder=person,
        token=uuid.uuid4(),
        leased_at=NOON,
        leased_until=NOON,
        **given,
    )
    return Annotation.objects.create(
        client_id=uuid.uuid4(),
        project=example.project,
        example=example,
        assignment=assignment,
        annotator=person,
        label=label,
        shown_at=NOON,
        answered_at=NOON,
        active_ms=2000,
    )


@pytest.fixture
def two(project: Project, ada: User) -> list[DatasetVersion]:
    """Twenty labels; then one is relabeled by Ada, one withdrawn and three added."""
    made = labeled(project)
    versions = [version_write(project_id=project.pk, rows=labels_now(project), at=NOON)]
    spam = project.labels.get(name="spam")
    answered(made[4], ada, "spam")
    Label.objects.filter(example=made[4]).update(label=spam, resolved_at=NOON + DAY)
    Label.objects.filter(example=made[5]).delete()
    labeled(project, 3, held=0, only="ham")
    versions.append(version_write(project_id=project.pk, rows=labels_now(project), at=NOON + DAY))
    return versions


def page_of(project: Project, *number: int) -> str:
    return reverse("datasets:version" if number else "datasets:versions", args=[project.pk, *number])


def test_without_a_run_there_is_no_version_and_the_page_says_when_there_will_be(
    as_: As, rosa: User, project: Project
) -> None:
    page = as_(rosa).get(page_of(project)).text
    assert "No version yet" in page and "The first run writes one" in page


def test_the_list_says_what_changed_who_used_it_and_what_the_table_takes(
    as_: As, lin: User, project: Project, two: list[DatasetVersion]
) -> None:
    run = started(project)
    Run.objects.filter(pk=run.pk).update(dataset_version=two[1])
    page = as_(lin).get(page_of(project))
    shown = [(each.version.number, [r.number for r in each.runs]) for each in page.context["listed"]]
    assert shown == [(2, [1]), (1, [])]
    assert (two[1].added, two[1].relabeled, two[1].removed) == (3, 1, 1)
    assert "in 2 files; each version adds only what changed" in page.text
    assert f'href="{reverse("lineage:run", args=[project.pk, run.pk])}">run 1</a>' in page.text


def test_a_reviewer_who_may_not_see_runs_gets_no_link_to_one(
    as_: As, rosa: User, project: Project, two: list[DatasetVersion]
) -> None:
    run = started(project)
    Run.objects.filter(pk=run.pk).update(dataset_version=two[0])
    page = as_(rosa).get(page_of(project)).text
    assert "run 1" in page and "releases" not in page and f"/runs/{run.pk}/" not in page


def test_a_version_is_held_against_the_one_before_it(
    as_: As, lin: User, project: Project, two: list[DatasetVersion]
) -> None:
    page = as_(lin).get(page_of(project, 2))
    diff = page.context["diff"]
    assert diff.counts == {"added": 3, "relabeled": 1, "removed": 1, "confirmed": 0}
    assert [(m.before, m.after, m.examples) for m in diff.moves] == [("ham", "spam", 1)]
    assert [(c.label, c.before, c.after, c.difference) for c in diff.classes] == [
        ("ham", 10, 12, 2),
        ("spam", 10, 10, 0),
    ]
    lines = {line.example.external_id: line for line in page.context["lines"]}
    assert lines["e4"].people == ("Ada",)
    assert (lines["e5"].kind, lines["e20"].kind, lines["e4"].source) == ("Removed", "Added", "Agreed by people")
    assert "ham to spam" in page.text and "What changed against version 1" in page.text


def test_any_two_versions_can_be_held_against_each_other_and_changes_picked_by_kind(
    as_: As, lin: User, project: Project, two: list[DatasetVersion]
) -> None:
    browser = as_(lin)
    back = browser.get(page_of(project, 1), {"against": 2, "kind": "added"})
    assert back.context["diff"].counts == {"added": 1, "relabeled": 1, "removed": 3, "confirmed": 0}
    assert [line.example.external_id for line in back.context["lines"]] == ["e5"]
    everything = browser.get(page_of(project, 1), {"against": 0, "kind": "nonsense"})
    assert everything.context["diff"].counts["added"] == len(everything.context["page"].paginator.object_list) == 20
    assert browser.get(page_of(project, 2), {"against": "x"}).context["diff"].before == two[0]
    assert browser.get(page_of(project, 2), {"against": 7}).status_code == 404
    assert browser.get(page_of(project, 9)).status_code == 404


def test_an_example_that_was_deleted_since_is_still_told(
    as_: As, lin: User, project: Project, two: list[DatasetVersion]
) -> None:
    Example.objects.filter(external_id="e20").delete()
    assert "deleted since" in as_(lin).get(page_of(project, 2), {"kind": "added"}).text


def test_the_page_costs_the_same_queries_for_fifty_changes_as_for_five(
    as_: As, lin: User, project: Project, two: list[DatasetVersion], django_assert_max_num_queries: Any
) -> None:
    labeled(project, 60, held=0)
    version_write(project_id=project.pk, rows=labels_now(project), at=NOON + 2 * DAY)
    browser = as_(lin)
    for number in (2, 3):
        with django_assert_max_num_queries(16):
            assert browser.get(page_of(project, number)).status_code == 200


def test_a_table_that_is_gone_is_said_on_the_page_and_nothing_breaks(
    as_: As, lin: User, project: Project, two: list[DatasetVersion]
) -> None:
    import shutil

    shutil.rmtree(table_folder(project))
    forget_remembered()
    page = as_(lin).get(page_of(project, 2))
    assert (page.status_code, "Data version 1 cannot be read: There is no table" in page.text) == (409, True)
    assert as_(lin).get(page_of(project)).status_code == 200


def test_a_dropped_version_is_listed_without_a_link_and_says_so_when_asked_for(
    as_: As, lin: User, project: Project, two: list[DatasetVersion]
) -> None:
    DatasetVersion.objects.filter(pk=two[0].pk).update(dropped_at=NOON)
    page = as_(lin).get(page_of(project)).text
    assert "dropped" in page and f'href="{page_of(project, 1)}"' not in page
    answer = as_(lin).get(page_of(project, 1))
    assert (answer.status_code, "was dropped on 2 Nov 2026" in answer.text) == (409, True)


def test_mona_sets_how_long_versions_stay_and_rosa_sees_it(
    as_: As, mona: User, rosa: User, project: Project, two
) -> None:
    url = reverse("datasets:version_policy", args=[project.pk])
    assert as_(mona).post(url, {"keep_days": "90", "vacuum_hours": "24"}).status_code == 302
    policy = VersionPolicy.objects.get(project=project)
    assert (policy.keep_days, policy.vacuum_hours) == (90, 24)
    page = as_(rosa).get(page_of(project)).text
    assert "dropped after 90 days" in page and 'name="keep_days"' not in page
    wrong = as_(mona).post(url, {"keep_days": "0", "vacuum_hours": ""}, headers={"HX-Request": "true"})
    assert (wrong.status_code, "2 fields need a change" in wrong.text) == (422, True)
    assert as_(rosa).post(url, {"keep_days": "1", "vacuum_hours": "1"}).status_code == 403
    policy.refresh_from_db()
    assert policy.keep_days == 90
    as_(mona).post(url, {"keep_days": "", "vacuum_hours": "24"})
    policy.refresh_from_db()
    assert policy.keep_days is None


def test_the_api_lists_versions_and_tells_them_apart(lin: User, project: Project, two: list[DatasetVersion]) -> None:
    api = api_of(lin)
    found = api.get(at(project, "dataset-versions/")).json()["results"]
    assert [(v["number"], v["rows"], v["added"], v["runs"]) for v in found] == [(2, 22, 3, []), (1, 20, 20, [])]
    diff = api.get(at(project, "dataset-versions/2/diff/")).json()
    assert (diff["against"], diff["counts"]["relabeled"]) == (1, 1)
    assert diff["moves"] == [{"before": "ham", "after": "spam", "examples": 1}]
    changes = api.get(at(project, "dataset-versions/2/changes/?kind=relabeled")).json()
    assert len(changes["results"]) == 1 and changes["next"] is None
    assert (changes["results"][0]["before"], changes["results"][0]["after"]) == ("ham", "spam")
    assert changes["results"][0]["annotations"] == [Annotation.objects.get().pk]
    assert api.get(at(project, "dataset-versions/3/diff/")).status_code == 404


def test_lineage_names_the_answers_and_machines_behind_each_label(project: Project, ada: User, grace: User) -> None:
    made = labeled(project, 6, held=0)
    first = answered(made[0], ada, "ham", suggestion="ham", suggestion_source="spam-bert")
    second = answered(made[0], grace, "ham", slot=1, suggestion="ham", run_number=7)
    withdrawn = answered(made[1], ada, "spam")
    Annotation.objects.filter(pk=withdrawn.pk).update(withdrawn_at=NOON)
    planted = answered(made[2], ada, "ham", planted=True, suggestion="ham")
    gold = answered(made[3], ada, "ham", lane="gold")
    batch = auto_labeled(project)
    AutoLabel.objects.create(
        example=made[4], project=project, batch=batch, label=project.labels.get(name="ham"), confidence=0.99, audit=True
    )
    Example.objects.filter(pk__in=[made[0].pk, made[5].pk]).update(content_digest="same")
    Label.objects.filter(example=made[5]).update(source=LabelSource.DUPLICATE, confidence=0.9)
    rows: dict[int, VersionRow] = {r.example_id: r for r in labels_now(project)}
    said = [(rows[e.pk].annotations, rows[e.pk].functions) for e in made]
    both = (first.pk, second.pk)
    assert said == [
        (both, ("run 7", "spam-bert")),
        ((), ()),
        ((), ()),
        ((), ()),
        ((), ("auto-labels 1",)),
        (both, ("dawid-skene", "run 7", "spam-bert")),
    ]
    assert planted.pk != gold.pk
    assert [rows[e.pk].source for e in made] == ["consensus"] * 5 + ["duplicate"]


def test_labels_now_costs_the_same_queries_for_many_as_for_few(
    project: Project, django_assert_num_queries: Any
) -> None:
    labeled(project, 6)
    with django_assert_num_queries(6):
        labels_now(project)
    labeled(project, 60)
    with django_assert_num_queries(6):
        assert len(labels_now(project)) == 66


def test_what_a_run_wrote_reads_back_as_the_labels_it_saw(project: Project, two: list[DatasetVersion]) -> None:
    now = sorted(labels_now(project), key=lambda r: r.example_id)
    assert read(two[1]) == now
