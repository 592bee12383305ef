"""`/metrics` of the console: for whoever has the predictor's key, as `/metrics` of predictors."""

import hmac

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.views.decorators.http import require_GET

from apps.loop.telemetry.series import exposition, series_of_the_loop

TEXT = "text/plain; version=0.0.4; charset=utf-8"


@require_GET
def metrics(request: HttpRequest) -> HttpResponse:
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    given, wanted = key.strip().encode(), settings.PREDICTOR_KEY.encode()
    if scheme.lower() != "bearer" or not hmac.compare_digest(given, wanted):
        words = gettext("Send the key that “manage.py predictor_key” prints, as “Authorization: Bearer <key>”.")
        return HttpResponse(f"{words}\n", status=401, content_type=TEXT, headers={"WWW-Authenticate": "Bearer"})
    return HttpResponse(exposition(series_of_the_loop()), content_type=TEXT, headers={"Cache-Control": "no-store"})
