"""A socket of one's own: it hears of one's notices on pages about nothing live, and nobody else may open it."""

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from asgiref.testing import ApplicationCommunicator
from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from django.conf import settings

from apps.live import publish
from apps.live.routing import websocket_urlpatterns

application = AuthMiddlewareStack(URLRouter(websocket_urlpatterns))
pytestmark = pytest.mark.django_db(transaction=True)


def heard(browser, topic, act=None):
    """What the socket says after `act`; the code that it is closed with where it may not be opened."""

    async def listen():
        cookie = f"{settings.SESSION_COOKIE_NAME}={browser.cookies[settings.SESSION_COOKIE_NAME].value}"
        scope = {
            "type": "websocket",
            "path": f"/ws/{topic}/",
            "query_string": b"",
            "headers": [(b"cookie", cookie.encode())],
        }
        await sync_to_async(publish._publisher.flush)()  # what was said before is nobody's here
        socket = ApplicationCommunicator(application, scope)
        await socket.send_input({"type": "websocket.connect"})
        first = await socket.receive_output(timeout=5)
        if first["type"] == "websocket.close":
            return first["code"]
        await socket.receive_output(timeout=5)  # "connected"
        await sync_to_async(act)()
        await sync_to_async(publish._publisher.flush)()
        said = (await socket.receive_output(timeout=5))["text"]
        await socket.send_input({"type": "websocket.disconnect", "code": 1000})
        await socket.wait(timeout=5)
        return said

    return async_to_sync(listen)()


@pytest.mark.parametrize("page", ["person", "project"])
def test_each_page_hears_of_its_persons_notices(as_, project, mona, drifted, collected, page):
    drifted(project)
    topic = f"person/{mona.pk}" if page == "person" else f"project/{project.pk}"
    assert '"what": "notice"' in heard(as_(mona), topic, collected)


def test_nobody_listens_to_what_is_for_somebody_else(as_, mona, alma):
    assert heard(as_(alma), f"person/{mona.pk}") == 4403
