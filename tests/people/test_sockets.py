"""A page stops listening when its session, its person or the person's role ends."""

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from asgiref.testing import ApplicationCommunicator
from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from django.conf import settings
from django.test import Client
from django.utils import timezone

from apps.live import publish
from apps.live.routing import websocket_urlpatterns
from apps.people import services
from apps.projects.membership import member_remove

application = AuthMiddlewareStack(URLRouter(websocket_urlpatterns))
pytestmark = pytest.mark.django_db(transaction=True)


def ends(project, browser, act):
    """The code that a socket of this browser is closed with after `act`; None where it stays open."""

    async def listen():
        cookie = f"{settings.SESSION_COOKIE_NAME}={browser.cookies[settings.SESSION_COOKIE_NAME].value}"
        path = f"/ws/project/{project.pk}/"
        scope = {"type": "websocket", "path": path, "query_string": b"", "headers": [(b"cookie", cookie.encode())]}
        socket = ApplicationCommunicator(application, scope)
        await socket.send_input({"type": "websocket.connect"})
        assert (await socket.receive_output(timeout=5))["type"] == "websocket.accept"
        await socket.receive_output(timeout=5)  # "connected"
        await sync_to_async(act)()
        await sync_to_async(publish._publisher.flush)()
        try:
            output = await socket.receive_output(timeout=3)
        except TimeoutError:
            return None
        return output.get("code")

    return async_to_sync(listen)()


def test_sign_out_closes_it(project, ada, as_):
    browser = as_(ada)
    assert ends(project, browser, lambda: browser.post("/sign-out/")) == 4403


def test_being_switched_off_closes_it(project, ada, as_, keeper):
    def act():
        services.active_set(person_id=ada.pk, active=False, by=keeper, at=timezone.now())

    assert ends(project, as_(ada), act) == 4403


def test_removal_from_the_project_closes_it(project, ada, as_, alma):
    def act():
        member_remove(project=project, user_id=ada.pk, by=alma, at=timezone.now())

    assert ends(project, as_(ada), act) == 4403


def test_another_browsers_sign_out_leaves_it_open(project, ada, as_):
    other = as_(ada)
    assert ends(project, as_(ada), lambda: other.post("/sign-out/")) is None


def test_a_browser_without_a_session_is_refused(project):
    browser = Client()
    browser.cookies[settings.SESSION_COOKIE_NAME] = "made-up"
    with pytest.raises(AssertionError):
        ends(project, browser, lambda: None)
