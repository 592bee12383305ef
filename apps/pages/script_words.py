"""The words that scripts say, as Django's JavaScriptCatalog gives them; the address changes with the words.

A browser keeps the words of a language for a year, since an address with other words is another one.
"""

from functools import cache
from hashlib import sha256

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.utils.translation import get_language, override
from django.views.decorators.http import require_GET
from django.views.i18n import JavaScriptCatalog

YEAR_S = 365 * 24 * 3600
# An app without a catalog of its own: else those of Django's admin come along. LOCALE_PATHS is always read.
PACKAGES = ["apps.pages"]


@cache
def catalog(language: str) -> tuple[bytes, str]:
    """The script that defines `gettext`, `ngettext` and `interpolate`, and its edition, twelve hex digits."""
    with override(language):
        script = JavaScriptCatalog(packages=PACKAGES).get(HttpRequest()).content
    return script, sha256(script).hexdigest()[:12]


def script_words_url() -> str:
    """Where the words of the reader's language are."""
    language = get_language() or settings.LANGUAGE_CODE
    return reverse("script-words", args=[language, catalog(language)[1]])


@require_GET
def script_words(request: HttpRequest, language: str, edition: str) -> HttpResponse:
    """A page that is older than the words asks for an edition that is gone: it gets today's, for once."""
    if language not in dict(settings.LANGUAGES):
        raise Http404
    script, current = catalog(language)
    response = HttpResponse(script, content_type="text/javascript; charset=utf-8")
    if edition == current:
        patch_cache_control(response, public=True, max_age=YEAR_S, immutable=True)
    else:
        patch_cache_control(response, no_cache=True)
    return response
