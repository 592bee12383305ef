"""The web process: pages and API over HTTP, "look again" over websockets."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fastloop_console.settings.local")
django.setup(set_prefix=False)

from channels.auth import AuthMiddlewareStack  # noqa: E402  after Django is set up
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402
from django.conf import settings  # noqa: E402

from apps.live.routing import websocket_urlpatterns  # noqa: E402
from fastloop_console.machine.one_thread import OneThread  # noqa: E402
from fastloop_console.machine.upload_limit import UploadLimit  # noqa: E402
from fastloop_console.machine.without_pandas import keep_pandas_out  # noqa: E402
from fastloop_console.senders import is_known  # noqa: E402

keep_pandas_out()

application = ProtocolTypeRouter(
    {
        "http": UploadLimit(OneThread(), settings.MAX_UPLOAD_BYTES, is_known),
        "websocket": AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter(websocket_urlpatterns))),
    }
)
