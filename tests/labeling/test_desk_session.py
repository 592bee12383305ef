"""The desk's short way of asking who sits there is as strict as the long one."""

import pytest
from django.contrib.sessions.models import Session
from django.test import RequestFactory

from apps.labeling import memory
from apps.labeling.desk.session import desk_session
from apps.projects.models import Membership
from apps.projects.roles import Permission


@pytest.fixture
def asked(client, project, ada):
    """Ada's request, signed in."""
    client.force_login(ada)
    request = RequestFactory().post("/")
    request.COOKIES["sessionid"] = client.cookies["sessionid"].value
    return request


def test_a_member_is_seated_with_the_rights_of_the_role(asked, project, ada):
    found = desk_session(asked, project.pk)
    assert (found.user, found.project, found.role) == (ada, project, "annotator")
    assert (found.may(Permission.LABEL), found.may(Permission.REVIEW)) == (True, False)
    assert found.project.queue.lane_weights == project.queue.lane_weights, "JSON is read as the ORM reads it"


def test_a_session_that_ended_seats_nobody(asked, project):
    assert desk_session(asked, project.pk)
    Session.objects.all().delete()
    assert desk_session(asked, project.pk) is None


def test_another_password_ends_every_session(asked, project, ada):
    assert desk_session(asked, project.pk)
    ada.set_password("another horse")
    ada.save()
    assert desk_session(asked, project.pk) is None


def test_whoever_was_locked_out_or_removed_is_not_seated(asked, project, ada):
    ada.is_active = False
    ada.save()
    assert desk_session(asked, project.pk) is None
    ada.is_active = True
    ada.save()
    Membership.objects.filter(user=ada).delete()
    assert desk_session(asked, project.pk) is None


def test_a_session_of_somebody_else_under_the_same_key_is_read_anew(asked, project, ada, grace, client):
    assert desk_session(asked, project.pk).user == ada
    key = asked.COOKIES["sessionid"]
    client.logout()
    client.force_login(grace)
    Session.objects.filter(pk=client.cookies["sessionid"].value).update(session_key=key)
    found = desk_session(asked, project.pk) or desk_session(asked, project.pk)
    assert found.user == grace


def test_no_cookie_and_a_made_up_one_seat_nobody(project):
    request = RequestFactory().post("/")
    assert desk_session(request, project.pk) is None
    request.COOKIES["sessionid"] = "x" * 32
    assert desk_session(request, project.pk) is None


def test_remembered_sessions_are_bounded(monkeypatch, asked, project, client, grace):
    monkeypatch.setattr(memory, "MOST", 1)
    assert desk_session(asked, project.pk)
    client.force_login(grace)
    other = RequestFactory().post("/")
    other.COOKIES["sessionid"] = client.cookies["sessionid"].value
    assert desk_session(other, project.pk)
    assert len(memory.sessions._kept) == 1
