"""Making and changing projects, their labels, guidelines, queue and members."""

from importlib import import_module

import pytest
from django.apps import apps

from apps.audit.models import Event
from apps.audit.services import chain_intact, project_scope
from apps.errors import Forbidden, Invalid
from apps.labeling.services.queue_settings import queue_settings_set
from apps.projects import membership, services
from apps.projects.access import role_of
from apps.projects.models import Membership, Project
from apps.projects.roles import Role
from apps.projects.selectors import schema_of
from apps.projects.services import LabelSpec
from apps.rules.acquisition import DEFAULT
from tests.conftest import NOON


def _make(by, **more):
    labels = [LabelSpec("ham"), LabelSpec("spam")]
    given = {"name": "Mail", "task_type": "text-classification", "labels": labels, **more}
    return services.project_create(by=by, at=NOON, **given)


def test_whoever_makes_a_project_is_its_admin(alma):
    project = _make(alma)
    assert Membership.objects.get(project=project).role == Role.ADMIN
    assert project.guidelines.get().number == 1


def test_whoever_may_not_make_projects_makes_none(ada):
    with pytest.raises(Forbidden):
        _make(ada)
    assert not Project.objects.exists()


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"name": "  "}, "needs a name"),
        ({"name": "mail"}, "exists already"),
        ({"task_type": "poetry"}, "is not known"),
        ({"labels": [LabelSpec("ham"), LabelSpec("HAM")]}, "there twice"),
        ({"labels": [LabelSpec(" ")]}, "needs a name"),
        ({"labels": [LabelSpec("x" * 81)]}, "longer than 80"),
        ({"name": "Ma\u200bil"}, "exists already"),
        ({"name": "Two\nlines"}, "control character"),
        ({"labels": [LabelSpec("caf\u00e9"), LabelSpec("cafe\u0301")]}, "there twice"),
        ({"labels": [LabelSpec("late mail"), LabelSpec("late\u00a0mail")]}, "there twice"),
        ({"labels": [LabelSpec("ham"), LabelSpec("ham\u200b")]}, "there twice"),
        ({"labels": [LabelSpec("ham\neggs"), LabelSpec("spam")]}, "control character"),
        ({"labels": [LabelSpec("\u200b"), LabelSpec("spam")]}, "needs a name"),
        ({"labels": [LabelSpec("ham", hotkey="ß")]}, "one letter from A to Z"),
        ({"labels": [LabelSpec("ham", hotkey="²")]}, "one letter from A to Z"),
        ({"labels": [LabelSpec("ham", hotkey="z")]}, "taken by the labeling screen"),
        ({"labels": [LabelSpec("ham", hotkey="h"), LabelSpec("eggs", hotkey="H")]}, "given to two labels"),
    ],
)
def test_a_project_that_cannot_be_made_leaves_nothing_behind(alma, more, words):
    _make(alma)
    with pytest.raises(Invalid, match=words):
        _make(alma, **{"name": "Other", **more})
    assert Project.objects.count() == 1
    assert Event.objects.count() == 1


def test_a_label_of_one_letter_or_digit_is_its_own_key(alma):
    project = _make(alma, labels=[LabelSpec("seven"), LabelSpec("7"), LabelSpec("1"), LabelSpec("z")])
    assert dict(project.labels.values_list("name", "hotkey")) == {"seven": "2", "7": "7", "1": "1", "z": "3"}


def test_added_labels_come_last_with_free_keys_and_colors(project, mona):
    made = services.schema_extend(project=project, labels=[LabelSpec("eggs")], by=mona, at=NOON)
    assert [(x.name, x.position, x.hotkey) for x in made] == [("eggs", 2, "3")]
    assert len(set(project.labels.values_list("color", flat=True))) == 3


def test_the_same_guidelines_again_make_no_version(project, mona):
    first = services.guidelines_write(project=project, text="New words.", by=mona, at=NOON)
    again = services.guidelines_write(project=project, text="New words.", by=mona, at=NOON)
    assert (first.number, again.number) == (2, 2)


def test_queue_settings_are_written_with_an_audit_entry(project, mona):
    weights = {"active": 50, "random": 30, "holdout": 15, "audit": 5}
    queue_settings_set(project=project, strategy="entropy", overlap=2, lane_weights=weights, by=mona, at=NOON)

    project.refresh_from_db()
    assert (project.queue.strategy, project.queue.overlap) == ("entropy", 2)
    assert {**project.queue.lane_weights, **weights} == project.queue.lane_weights, (
        "lanes that were not named keep their weight"
    )
    event = Event.objects.first()
    changed = "strategy to entropy, overlap to 2, lane weights active 50 random 30 holdout 15"
    assert event.sentence == f"Mona set the queue’s {changed}."
    assert (event.before["strategy"], event.after["strategy"]) == (DEFAULT, "entropy")
    assert chain_intact(project_scope(project.pk))


def test_queue_settings_that_stay_the_same_write_nothing(project, mona):
    before = Event.objects.count()
    queue_settings_set(
        project=project,
        strategy=project.queue.strategy,
        overlap=1,
        lane_weights=project.queue.lane_weights,
        by=mona,
        at=NOON,
    )
    assert Event.objects.count() == before


@pytest.mark.parametrize(
    "wrong",
    [
        {"strategy": "astrology"},
        {"overlap": 0},
        {"overlap": 6},
        {"lane_weights": {"fast": 1}},
        {"lane_weights": {"active": -1, "random": 1, "holdout": 1, "audit": 1}},
    ],
)
def test_queue_settings_that_make_no_sense_change_nothing(project, mona, wrong):
    given = {"strategy": DEFAULT, "overlap": 1, "lane_weights": dict(project.queue.lane_weights), **wrong}
    with pytest.raises(Invalid):
        queue_settings_set(project=project, by=mona, at=NOON, **given)
    project.refresh_from_db()
    assert (project.queue.strategy, project.queue.overlap, project.queue.lane_weights["active"]) == (DEFAULT, 1, 65)


def test_the_last_admin_stays(project, alma):
    with pytest.raises(Invalid, match="at least one admin"):
        membership.member_remove(project=project, user_id=alma.pk, by=alma, at=NOON)
    with pytest.raises(Invalid, match="at least one admin"):
        membership.member_set(project=project, username="alma", role="manager", by=alma, at=NOON)
    assert Membership.objects.get(project=project, user=alma).role == Role.ADMIN


def test_a_manager_makes_nobody_admin_and_unmakes_none(project, alma, mona, mallory):
    for act in (
        lambda: membership.member_set(project=project, username="mona", role="admin", by=mona, at=NOON),
        lambda: membership.member_set(project=project, username="mallory", role="admin", by=mona, at=NOON),
        lambda: membership.member_set(project=project, username="alma", role="annotator", by=mona, at=NOON),
        lambda: membership.member_remove(project=project, user_id=alma.pk, by=mona, at=NOON),
    ):
        with pytest.raises(Forbidden, match="Only an admin"):
            act()
    assert list(project.memberships.filter(role=Role.ADMIN).values_list("user__username", flat=True)) == ["alma"]


def test_a_changed_entry_breaks_the_chain(project):
    scope = project_scope(project.pk)
    assert chain_intact(scope)
    Event.objects.filter(scope=scope, sequence=2).update(sentence="Nobody did anything.")
    assert not chain_intact(scope)


def test_a_retired_label_is_offered_no_longer_and_can_come_back(project, mona):
    services.schema_extend(project=project, labels=[services.LabelSpec("eggs")], by=mona, at=NOON)
    services.label_retire(project=project, name="ham", by=mona, at=NOON)
    assert [x.name for x in schema_of(project).offered] == ["spam", "eggs"]
    assert [x.name for x in schema_of(project).labels] == ["ham", "spam", "eggs"], "class indices stay"
    with pytest.raises(Invalid, match="too few labels"):
        services.label_retire(project=project, name="spam", by=mona, at=NOON)
    with pytest.raises(Invalid, match="“bacon” is not in"):
        services.label_retire(project=project, name="bacon", by=mona, at=NOON)
    services.label_restore(project=project, name="ham", by=mona, at=NOON)
    assert [x.name for x in schema_of(project).offered] == ["ham", "spam", "eggs"]
    assert Event.objects.filter(verb__startswith="schema.re").count() == 2


def test_an_overlap_of_a_lane_that_equals_the_projects_is_not_kept_as_an_exception(project, mona):
    queue_settings_set(project=project, overlap=2, lane_overlap={"holdout": 3, "random": 2}, by=mona, at=NOON)
    project.refresh_from_db()
    assert project.queue.lane_overlap == {"holdout": 3}
    for wrong in ({"gold": 4}, {"holdout": 9}):
        with pytest.raises(Invalid):
            queue_settings_set(project=project, lane_overlap=wrong, by=mona, at=NOON)


@pytest.mark.parametrize(
    "wrong", [{"consensus": "loudest"}, {"blind_share": 1.1}, {"gold_failures": 99}, {"review_at_most": -1}]
)
def test_settings_out_of_range_are_refused(project, mona, wrong):
    with pytest.raises(Invalid):
        queue_settings_set(project=project, by=mona, at=NOON, **wrong)


def test_a_preference_project_has_its_two_sides_a_tie_and_both_bad_as_labels(make_project):
    labels = make_project("text-preference", labels=()).labels.all()
    assert [(x.name, x.hotkey) for x in labels] == [("A", "A"), ("B", "B"), ("Tie", "T"), ("Both bad", "N")]


def test_an_older_preference_project_gets_a_tie_and_both_bad_and_keeps_its_answers(make_project):
    project = make_project("text-preference", labels=())
    project.labels.filter(name__in=["Tie", "Both bad"]).delete()
    project.labels.filter(name="A").update(hotkey="T")  # a key that somebody has chosen stays theirs
    other = make_project(labels=("ham", "spam"))
    migration = import_module("apps.projects.migrations.0008_ties_of_pairs")
    for _ in range(2):  # twice changes nothing more
        migration.add_ties(apps, None)
    found = [(x.name, x.hotkey, x.position) for x in project.labels.all()]
    assert found == [("A", "T", 0), ("B", "B", 1), ("Tie", "3", 2), ("Both bad", "N", 3)]
    assert other.labels.count() == 2


def test_nobody_changes_their_own_role_and_a_manager_gives_no_rights_that_they_lack(project, mona, alma, mallory):
    for username, role in (("mona", "engineer"), ("mona", "annotator"), ("mallory", "engineer"), ("ada", "engineer")):
        with pytest.raises(Forbidden):
            membership.member_set(project=project, username=username, role=role, by=mona, at=NOON)
    assert role_of(mona, project.pk) == "manager" and role_of(mallory, project.pk) is None
    membership.member_set(project=project, username="mallory", role="reviewer", by=mona, at=NOON)
    membership.member_set(project=project, username="mallory", role="engineer", by=alma, at=NOON)
    assert role_of(mallory, project.pk) == "engineer"
