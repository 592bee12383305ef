"""PostgreSQL: DATABASE_URL where it is set, else the embedded server's address."""

import environ

from fastloop_console.machine import embedded, env

_url = env.database_url() or embedded.known_urls(env.home()).database
DATABASES = {"default": environ.Env.db_url_config(_url)}
DATABASES["default"]["OPTIONS"] = {
    "pool": {"min_size": 1, "max_size": 24, "timeout": 15},
    "prepare_threshold": 0,  # Django's None forbids prepared plans, even to apps.statements, which asks for them
}
DATABASES["default"]["TEST"] = {"NAME": f"test_{DATABASES['default'].get('NAME') or 'fastloop'}"}
