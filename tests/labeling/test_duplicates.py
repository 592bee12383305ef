"""Examples that show the same are one question; their labels are marked and never cross into the holdout."""

from collections.abc import Callable

import pytest

from apps.datasets.models import Example
from apps.labeling.models import FrontierItem, Label, LabelSource
from apps.labeling.selectors import contradictions_of
from apps.labeling.services.undo import annotation_withdraw
from apps.loop import services as loop
from apps.projects.models import Project
from tests.conftest import NOON
from tests.labeling.conftest import at_once
from tests.rows import Sent


@pytest.fixture(autouse=True)
def no_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.integrations.wiring.jobs", Sent([]))


@pytest.fixture
def arrive() -> Callable[..., None]:
    """Rows as the API takes them: {id: text} or {id: (text, label)}."""

    def take(project: Project, **rows: str | tuple[str, str]) -> None:
        split = {k: v if isinstance(v, tuple) else (v, None) for k, v in rows.items()}
        batch = [{"id": k, "text": text, **({"label": label} if label else {})} for k, (text, label) in split.items()]
        loop.batch_take(project=project, rows=batch, source="test", by=None, at=NOON)

    return take


def labels_of(project: Project) -> dict[str, tuple[str, str]]:
    found = Label.objects.filter(project=project).select_related("label", "example")
    return {x.example.external_id: (x.label.name, x.source) for x in found}


def test_one_answer_labels_every_copy_and_says_so(project, arrive, lease, say, ada):
    arrive(project, a="win money", b="win money", c="see you")
    held = next(x for x in lease(project, ada, 3) if x.example.fields["text"] == "win money")
    say(held, "spam")

    found = labels_of(project)
    mine = held.example.external_id
    assert found == {mine: ("spam", "consensus"), ({"a", "b"} - {mine}).pop(): ("spam", "duplicate")}
    assert set(FrontierItem.objects.filter(project=project, leased_until=None)) == set()


def test_a_copy_that_comes_later_has_its_label_at_once_and_is_not_asked(project, arrive):
    arrive(project, a=("win money", "spam"))
    arrive(project, b="win money", c="see you")

    assert labels_of(project) == {"a": ("spam", "imported"), "b": ("spam", "duplicate")}
    assert {x.example.external_id for x in FrontierItem.objects.filter(project=project)} == {"c"}


def test_an_answer_taken_back_takes_back_what_it_gave_to_copies(project, arrive, lease, say, ada):
    arrive(project, a="win money", b="win money")
    answer = say(lease(project, ada)[0], "spam")
    annotation_withdraw(project_id=project.pk, client_id=answer.client_id, by=ada, at=NOON)

    assert labels_of(project) == {}


def test_a_changed_answer_changes_its_copies(project, arrive, lease, say, ada):
    arrive(project, a="win money", b="win money")
    answer = say(lease(project, ada)[0], "spam")
    again = annotation_withdraw(project_id=project.pk, client_id=answer.client_id, by=ada, at=NOON)
    say(again, "ham")

    assert sorted(labels_of(project).values()) == [("ham", "consensus"), ("ham", "duplicate")]


def test_labels_that_contradict_for_one_text_are_kept_shared_with_nobody_and_listed(project, arrive):
    arrive(project, a=("win money", "spam"), b=("win money", "ham"))
    arrive(project, c="win money")

    assert labels_of(project) == {"a": ("spam", "imported"), "b": ("ham", "imported")}
    assert {x.example.external_id for x in FrontierItem.objects.filter(project=project)} == {"c"}
    (found,) = contradictions_of(project)
    assert (found.summary, found.labels) == ("win money", ("ham", "spam"))


def test_a_label_that_comes_to_contradict_takes_back_what_was_shared(project, arrive):
    arrive(project, a=("win money", "spam"))
    arrive(project, b="win money")
    arrive(project, c=("win money", "ham"))

    assert labels_of(project) == {"a": ("spam", "imported"), "c": ("ham", "imported")}


def test_a_copy_of_a_holdout_example_is_in_the_holdout_whatever_its_id_says(make_project, arrive):
    project = make_project(holdout_share=0.3)
    arrive(project, **{f"first{i}": f"text {i}" for i in range(60)})
    arrive(project, **{f"copy{i}": f"text {i}" for i in range(60)})

    side = dict(Example.objects.filter(project=project).values_list("external_id", "holdout"))
    assert 5 < sum(side[f"first{i}"] for i in range(60)) < 40
    assert [side[f"copy{i}"] for i in range(60)] == [side[f"first{i}"] for i in range(60)]


def test_copies_within_one_batch_stand_on_one_side(make_project, arrive):
    project = make_project(holdout_share=0.5)
    arrive(project, **{f"{twin}{i}": f"text {i}" for i in range(40) for twin in "ab"})

    side = dict(Example.objects.filter(project=project).values_list("external_id", "holdout"))
    assert all(side[f"a{i}"] == side[f"b{i}"] for i in range(40))


def test_two_copies_answered_by_two_people_keep_both_answers(project, arrive, lease, say, ada, grace):
    arrive(project, a="win money", b="win money")
    one, other = lease(project, ada)[0], lease(project, grace)[0]
    assert one.example_id != other.example_id
    say(one, "spam")
    say(other, "spam")

    assert [source for _, source in labels_of(project).values()] == [LabelSource.CONSENSUS] * 2


@pytest.mark.django_db(transaction=True)
def test_two_copies_settled_at_the_same_moment_keep_both_answers(make_project, lease, say, ada, grace, arrive):
    for round_number in range(20):
        project = make_project(name=f"Copies {round_number}", holdout_share=0.01)
        arrive(project, **{f"{twin}{i}": f"text {i}" for i in range(3) for twin in "ab"})
        mine, theirs = lease(project, ada, 3), lease(project, grace, 3)

        def answer(held, says):
            return lambda: [say(x, says) for x in held]

        assert at_once(answer(mine, "ham"), answer(theirs[::-1], "ham")) == [], f"round {round_number}"
        assert set(labels_of(project).values()) == {("ham", "consensus")}
        assert len(labels_of(project)) == 6
