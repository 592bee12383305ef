"""Aliases of one's own: set, moved, removed, by whom the rule says; they change no traffic."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.audit.models import Event
from apps.audit.services import chain_intact, project_scope
from apps.errors import Forbidden, Invalid, NotFound
from apps.lineage.mirror import _lacking
from apps.loop.services.encoders import encoders_needed
from apps.projects.models import Project
from apps.releases.models import Alias, Mirrored, ModelVersion
from apps.releases.registry import aliases
from apps.releases.registry.aliases import alias_remove, alias_set
from apps.releases.registry.rules import release_rules_set
from apps.releases.selectors import served
from apps.releases.services import model_promote
from apps.training.models import Run
from tests.api import api_of, at
from tests.conftest import NOON
from tests.labeling.conftest import at_once
from tests.rows import labeled, model

As = Callable[[User], Client]
LATER = NOON + timedelta(minutes=1)


@pytest.fixture
def versions(project: Project, lin: User) -> list[ModelVersion]:
    """v1 serves, v2 waits."""
    labeled(project)
    first = model(project)
    model_promote(version=first, reason="", by=lin, at=NOON)
    return [first, model(project, base=first.run)]


def pointing(project: Project) -> dict[str, int]:
    return {alias.name: alias.version.number for alias in aliases.own_aliases_of(project)}


def test_an_alias_is_set_moved_and_removed_and_the_trail_says_so(
    project: Project, lin: User, versions: list[ModelVersion]
) -> None:
    first, second = versions
    before = served()
    alias_set(project=project, name=" staging ", version=first, by=lin, at=NOON)
    alias_set(project=project, name="Staging", version=second, by=lin, at=LATER)
    assert pointing(project) == {"staging": 2}, "capitals make no second one"
    alias_set(project=project, name="staging", version=second, by=lin, at=LATER)
    alias_remove(project=project, name="STAGING", by=lin, at=LATER)
    assert pointing(project) == {} and served() == before
    told = Event.objects.filter(verb__startswith="alias").order_by("sequence")
    assert [event.sentence for event in told] == [
        "Lin set “staging” to v1.",
        "Lin moved “staging” to v2, was v1.",
        "Lin removed “staging”, was v2.",
    ]
    assert [(event.before, event.after) for event in told][1] == ({"version": 1}, {"version": 2})
    with pytest.raises(NotFound):
        alias_remove(project=project, name="staging", by=lin, at=LATER)


@pytest.mark.parametrize("name", ["champion", "candidate", "shadow", "latest", "v1", "7", "", "two words", "x" * 41])
def test_a_word_with_a_meaning_of_its_own_is_nobodys_to_set_or_remove(
    project: Project, lin: User, versions: list[ModelVersion], name: str
) -> None:
    before = set(Alias.objects.values_list("name", "version_id"))
    with pytest.raises(Invalid):
        alias_set(project=project, name=name, version=versions[1], by=lin, at=LATER)
    with pytest.raises(Invalid):
        alias_remove(project=project, name=name, by=lin, at=LATER)
    assert set(Alias.objects.values_list("name", "version_id")) == before


def test_the_rule_of_an_alias_says_which_roles_set_it(
    project: Project, lin: User, mona: User, alma: User, versions: list[ModelVersion]
) -> None:
    with pytest.raises(Forbidden, match="engineer or admin"):
        alias_set(project=project, name="audited", version=versions[0], by=mona, at=NOON)
    release_rules_set(project=project, approval="none", alias_roles={"audited": ["manager"]}, by=mona, at=NOON)
    alias_set(project=project, name="Audited", version=versions[0], by=mona, at=NOON)
    for act in (
        lambda: alias_set(project=project, name="audited", version=versions[1], by=lin, at=LATER),
        lambda: alias_remove(project=project, name="audited", by=lin, at=LATER),
    ):
        with pytest.raises(Forbidden, match="manager or admin"):
            act()
    alias_set(project=project, name="audited", version=versions[1], by=alma, at=LATER)
    assert pointing(project) == {"Audited": 2}


@pytest.mark.parametrize(
    ("rules", "why"),
    [
        ({"champion": ["manager"]}, "release a version"),
        ({"staging": ["annotator"]}, "cannot set “staging”"),
        ({"staging": ["boss"]}, "cannot set “staging”"),
        ({"staging": ["manager"], "Staging": ["engineer"]}, "stands twice"),
        ({f"a{i}": ["manager"] for i in range(51)}, "At most 50"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(project: Project, mona: User, rules: dict, why: str) -> None:
    with pytest.raises(Invalid, match=why):
        release_rules_set(project=project, approval="none", alias_roles=rules, by=mona, at=NOON)
    assert not Event.objects.filter(verb="release_rules.set").exists()


def test_the_page_sets_and_removes_and_shows_where_names_point(
    as_: As, project: Project, lin: User, mona: User, versions: list[ModelVersion]
) -> None:
    address = reverse("releases:models", args=[project.pk])
    browser = as_(lin)
    assert "“staging” is one that many use" in browser.get(address).text
    done = browser.post(reverse("releases:alias_set", args=[project.pk]), {"name": "staging", "version": "2"})
    assert done.status_code == 302
    page = browser.get(address)
    assert '<span class="tag">staging</span>' in page.text and page.context["settable"] == {"staging"}
    looks = as_(mona).get(address)
    assert "staging" in looks.text and not looks.context["sets_aliases"] and looks.context["settable"] == set()
    for wrong in ({"name": "v9", "version": "2"}, {"name": "a", "version": "99"}, {"name": "a", "version": "x"}, {}):
        assert browser.post(reverse("releases:alias_set", args=[project.pk]), wrong).status_code in (404, 422), wrong
    assert browser.post(reverse("releases:alias_remove", args=[project.pk]), {"name": "staging"}).status_code == 302
    assert pointing(project) == {}


def test_the_api_sets_reads_and_removes(
    project: Project, lin: User, mona: User, mallory: User, versions: list[ModelVersion]
) -> None:
    address = at(project, "aliases/staging/")
    made = api_of(lin).put(address, {"version": 2}, format="json")
    assert made.status_code == 200, made.content
    assert (made.json()["name"], made.json()["version"], made.json()["set_by"]) == ("staging", 2, "lin")
    assert api_of(mona).get(at(project, "aliases/Staging/")).json()["version"] == 2
    assert api_of(mona).get(at(project, "aliases/champion/")).json()["version"] == 1
    names = [each["name"] for each in api_of(mona).get(at(project, "aliases/")).json()["results"]]
    assert names == ["candidate", "champion", "staging"]
    listed = api_of(lin).get(at(project, "models/")).json()["results"]
    assert listed[0]["aliases"] == ["candidate", "staging"]
    for wrong in ({"version": 9}, {"version": 10**12}, {"version": 0}, {"version": "x"}, {}):
        assert api_of(lin).put(address, wrong, format="json").status_code in (400, 404, 422), wrong
    assert api_of(lin).put(at(project, "aliases/v2/"), {"version": 2}, format="json").status_code == 422
    assert api_of(mona).delete(address).status_code == 403
    assert api_of(mallory).get(address).status_code == 404
    assert api_of(lin).delete(address).status_code == 204
    assert api_of(lin).get(address).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_two_who_set_one_alias_at_one_moment_leave_one(
    project: Project, lin: User, alma: User, versions: list[ModelVersion]
) -> None:
    first, second = versions

    def sets(version: ModelVersion, by: User) -> Callable[[], object]:
        return lambda: alias_set(project=project, name="staging", version=version, by=by, at=LATER)

    assert at_once(sets(first, lin), sets(second, alma)) == []
    assert list(pointing(project)) == ["staging"]
    assert Event.objects.filter(verb="alias.set").count() == 2
    assert chain_intact(project_scope(project.pk))


def test_a_name_makes_no_vectors_of_an_encoder_that_nothing_serves(
    project: Project, lin: User, versions: list[ModelVersion]
) -> None:
    old = model(project, base=versions[1].run)
    Run.objects.filter(pk=old.run_id).update(recipe={**old.run.recipe, "encoder": "retired"})
    model(project, base=versions[1].run)
    alias_set(project=project, name="archive-copy", version=old, by=lin, at=LATER)
    assert "retired" not in encoders_needed(project)


def test_the_mirror_sees_a_name_that_went_from_a_model_which_keeps_another(
    project: Project, lin: User, versions: list[ModelVersion]
) -> None:
    first = versions[0]
    alias_set(project=project, name="staging", version=first, by=lin, at=NOON)
    for version in versions:
        names = sorted(version.aliases.values_list("name", flat=True))
        Mirrored.objects.create(
            run=version.run,
            state=version.run.state,
            step=version.run.step,
            registry_version="1",
            aliases=names,
            at=NOON + timedelta(days=1),
        )
    later = NOON + timedelta(days=2)
    assert list(_lacking(later)) == []
    alias_remove(project=project, name="staging", by=lin, at=later)
    assert list(_lacking(later)) == [first.run], "it keeps “champion”, so it has aliases, and none is newer"
