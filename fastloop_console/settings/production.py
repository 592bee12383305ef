"""Many machines behind TLS: every address comes from the environment, nothing is made up."""

from django.core.exceptions import ImproperlyConfigured

from fastloop_console.machine import env, instance
from fastloop_console.settings.base import *  # noqa: F403

SECRET_KEY = env.secret_key(required=True)
INSTANCE_ID = instance.instance_id(SECRET_KEY)
PREDICTOR_KEY = instance.predictor_key(SECRET_KEY)
for _name, _value in (("SECRET_KEY", SECRET_KEY), ("DATABASE_URL", env.database_url()), ("REDIS_URL", env.redis_url())):
    if not _value:
        raise ImproperlyConfigured(f"{_name} is not set. Production takes it from the environment; see .env.example.")

DEBUG = False
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.hsts_for_subdomains()
SECURE_HSTS_PRELOAD = SECURE_HSTS_INCLUDE_SUBDOMAINS
SECURE_SSL_REDIRECT = True
# Whether names below this one, and lists in browsers, hold to TLS too is for whoever owns the name to say.
SILENCED_SYSTEM_CHECKS = [] if SECURE_HSTS_INCLUDE_SUBDOMAINS else ["security.W005", "security.W021"]
WHITENOISE_USE_FINDERS = False
STORAGES = {  # `collectstatic` compresses once and names files by content, so that browsers may keep them for ever
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "fastloop_console.static.Hashed"},
}
