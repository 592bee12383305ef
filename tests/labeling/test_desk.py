"""The labeling page and the JSON it speaks."""

import json
import uuid

import pytest
from django.urls import reverse

from apps.labeling.desk import presenters
from apps.labeling.desk.selectors import why_empty
from apps.labeling.models import Annotation, Assignment, AssignmentState, FrontierItem
from apps.labeling.services.queue_settings import queue_settings_set
from apps.projects.models import Project
from tests.conftest import NOON


def _post(browser, name, project, body):
    return browser.post(
        reverse(f"labeling:{name}", args=[project.pk]),
        data=body if isinstance(body, str) else json.dumps(body),
        content_type="application/json",
        headers={"accept": "application/json"},
    )


def _answer(given, **more):
    return {"client_id": str(uuid.uuid4()), "assignment": given["id"], "token": given["token"], "label": "ham", **more}


def test_the_desk_opens_for_whoever_labels_and_says_whose_turn_it_is(as_, project, ada, lin, mallory):
    page = as_(ada).get(reverse("labeling:desk", args=[project.pk]))
    assert page.status_code == 200
    assert "Label what it <em>is</em>." in page.content.decode()
    assert as_(lin).get(reverse("labeling:desk", args=[project.pk])).status_code == 403
    assert as_(mallory).get(reverse("labeling:desk", args=[project.pk])).status_code == 404


def test_next_answer_undo_go_round(as_, project, add_examples, ada):
    add_examples(project, 5)
    browser = as_(ada)
    first = _post(browser, "next", project, {"count": 2}).json()
    assert len(first["assignments"]) == 2 and first["empty"] is None
    assert first["assignments"][0]["example"]["kind"] == "text"

    said = _answer(first["assignments"][0], want=1, active_ms=900)
    reply = _post(browser, "answer", project, said).json()
    assert reply["saved"]["client_id"] == said["client_id"]
    assert len(reply["assignments"]) == 1
    assert reply["progress"] is None, "told moments ago: the desk counts by itself in between"

    back = _post(browser, "undo", project, {"client_id": said["client_id"]}).json()
    assert back["assignment"]["id"] == first["assignments"][0]["id"]
    assert back["progress"] == {"today": 0, "mean_s": None, "labeled": 0, "examples": 5, "waiting": {"review": 0}}


def test_a_reload_gets_back_what_it_held(as_, project, add_examples, ada):
    add_examples(project, 5)
    browser = as_(ada)
    before = _post(browser, "next", project, {"count": 3}).json()["assignments"]
    after = _post(browser, "next", project, {"count": 3}).json()["assignments"]

    assert [a["id"] for a in before] == [a["id"] for a in after]


@pytest.mark.parametrize("body", ["", "no json", "[]", "{}", '{"count": "many"}', '{"count": 999}', '{"count": -1}'])
def test_a_body_that_does_not_fit_is_answered_with_a_sentence(as_, project, add_examples, ada, body):
    add_examples(project, 1)
    reply = _post(as_(ada), "next", project, body)

    assert reply.status_code == 422
    assert reply.json()["error"]
    assert not Assignment.objects.exists()


def test_a_bad_answer_is_refused_in_words_and_keeps_the_lease(as_, project, add_examples, ada):
    add_examples(project, 1)
    browser = as_(ada)
    given = _post(browser, "next", project, {"count": 1}).json()["assignments"][0]

    for more, status in (
        ({"label": "eggs"}, 422),
        ({"token": str(uuid.uuid4())}, 404),
        ({"token": "x"}, 422),
        ({"client_id": "x"}, 422),
        ({"assignment": 2**70}, 404),
        ({"skip_reason": "unclear"}, 422),
    ):
        reply = _post(browser, "answer", project, _answer(given, **more))
        assert (reply.status_code, bool(reply.json()["error"])) == (status, True), more
    assert not Annotation.objects.exists()
    assert Assignment.objects.get().state == AssignmentState.LEASED


def test_an_assignment_of_another_project_cannot_be_answered_here(as_, make_project, add_examples, ada):
    here, there = make_project(), make_project()
    add_examples(there, 1)
    browser = as_(ada)
    given = _post(browser, "next", there, {"count": 1}).json()["assignments"][0]

    assert _post(browser, "answer", here, _answer(given)).status_code == 404
    assert not Annotation.objects.exists()


def test_leases_are_renewed_and_given_back_by_id_and_token(as_, project, add_examples, ada):
    add_examples(project, 2)
    browser = as_(ada)
    held = _post(browser, "next", project, {"count": 2}).json()["assignments"]
    pairs = [[str(a["id"]), a["token"]] for a in held]

    assert _post(browser, "renew", project, {"leases": pairs}).json()["held"] == [a["id"] for a in held]
    assert _post(browser, "release", project, {"leases": pairs}).json() == {"released": 2}
    assert _post(browser, "renew", project, {"leases": pairs}).json()["held"] == []
    assert _post(browser, "renew", project, {"leases": [["1"]]}).status_code == 422
    assert _post(browser, "renew", project, {"leases": [["1", "x"]]}).status_code == 422


def test_an_empty_queue_says_why(as_, make_project, add_examples, lease, say, ada, grace, mona):
    project = make_project()
    assert why_empty(project, ada, NOON).title == "No examples yet"

    add_examples(project, 2)
    held = lease(project, grace, 2)
    empty = why_empty(project, ada, NOON)
    assert empty.sentence == "2 examples are left and held by others."
    assert empty.frees_at == held[0].leased_until

    say(held[0])
    say(held[1], skip="unclear")
    assert "must come from somebody else" in why_empty(project, grace, NOON).sentence

    say(lease(project, ada)[0])
    assert why_empty(project, ada, NOON).sentence == "All 2 examples are labeled."
    assert _post(as_(ada), "next", project, {"count": 2}).json()["empty"]["title"] == "All done"


def test_a_closed_lane_is_not_called_done(make_project, add_examples, ada, mona):
    project = make_project(holdout_share=0.01)
    add_examples(project, 3)
    weights = {"active": 0, "random": 0, "holdout": 1, "audit": 1}
    queue_settings_set(project=project, strategy="margin", overlap=1, lane_weights=weights, by=mona, at=NOON)
    assert "weight 0" in why_empty(Project.objects.get(pk=project.pk), ada, NOON).sentence


def test_an_empty_queue_is_topped_up_before_it_is_called_empty(as_, project, add_examples, ada):
    add_examples(project, 3)
    FrontierItem.objects.all().delete()

    assert len(_post(as_(ada), "next", project, {"count": 2}).json()["assignments"]) == 2


def test_three_examples_cost_no_query_more_than_their_leases(
    as_, project, add_examples, ada, grace, django_assert_max_num_queries
):
    add_examples(project, 40)
    for browser, count, most in ((as_(ada), 1, 25), (as_(grace), 4, 25 + 3 * 15)):
        with django_assert_max_num_queries(most):
            assert len(_post(browser, "next", project, {"count": count}).json()["assignments"]) == count


def test_the_reason_never_gives_a_hidden_suggestion_away():
    reason = {"strategy": "margin", "first": 0, "first_p": 0.41, "second": 1, "second_p": 0.38}

    assert "ham" in presenters.why("active", reason, blind=False, label_names=["ham", "spam"])
    hidden = presenters.why("active", reason, blind=True, label_names=["ham", "spam"])
    assert "ham" not in hidden and "41" not in hidden


def test_whoever_was_signed_out_is_told_so_in_json_and_sent_to_sign_in_otherwise(client, project):
    assert _post(client, "answer", project, {}).json()["code"] == "signed_out"
    assert _post(client, "answer", project, {}).status_code == 401
    assert client.post(reverse("labeling:next", args=[project.pk])).status_code == 302


def test_signing_in_on_the_spot_gives_a_token_and_a_wrong_password_a_sentence(client, ada):
    address = reverse("accounts:sign_in_here")
    assert client.get(address).json()["person"] is None
    wrong = client.post(address, {"username": "ada", "password": "no"}, content_type="application/json")
    assert wrong.status_code == 422 and wrong.json()["error"]
    assert client.post(address, "[]", content_type="application/json").status_code == 422
    right = client.post(address, {"username": "ada", "password": "correct horse"}, content_type="application/json")
    assert right.json()["person"] == ada.pk and right.json()["csrf"]


def test_an_edit_replaces_the_answer_once_and_keeps_the_old_on_record(as_, project, add_examples, ada):
    add_examples(project, 2)
    browser = as_(ada)
    given = _post(browser, "next", project, {"count": 1}).json()["assignments"][0]
    said = _answer(given)
    _post(browser, "answer", project, said)
    change = {"client_id": str(uuid.uuid4()), "of": said["client_id"], "label": "spam", "comment": "slip"}

    first, second = (_post(browser, "edit", project, change) for _ in range(2))

    assert (first.status_code, second.status_code) == (200, 200)
    assert [(a.label.name, a.withdrawn_at is None) for a in Annotation.objects.order_by("pk")] == [
        ("ham", False),
        ("spam", True),
    ]
    past = browser.get(reverse("labeling:past", args=[project.pk])).json()["past"]
    assert [(p["answer"], p["comment"], p["guidelines"]) for p in past] == [("spam", "slip", 1)]
