"""The test suite: real PostgreSQL and Redis, quick password hashes, static files without a manifest."""

from fastloop_console.settings.base import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
DATABASES["default"]["OPTIONS"].pop("pool")  # noqa: F405  a test owns one connection; a pool would hide leaks
WHITENOISE_AUTOREFRESH = True  # every test client is an application of its own, and would read all of static/ first
