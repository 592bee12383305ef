"""What every deployment shares. Each concern has its own module beside this one."""

from importlib.util import find_spec
from pathlib import Path

from fastloop_console.machine import env, instance
from fastloop_console.settings.celery import *  # noqa: F403
from fastloop_console.settings.channels import *  # noqa: F403
from fastloop_console.settings.database import *  # noqa: F403
from fastloop_console.settings.integrations import *  # noqa: F403
from fastloop_console.settings.logging import *  # noqa: F403
from fastloop_console.settings.mail import *  # noqa: F403

BASE_DIR = env.ROOT
HOME = env.home()
SECRET_KEY = env.secret_key()
SECRET_KEY_FALLBACKS = env.secret_key_fallbacks()  # sessions, links and the audit trail of earlier keys hold on
INSTANCE_ID = instance.instance_id(SECRET_KEY)
PREDICTOR_KEY = instance.predictor_key(SECRET_KEY)
DEBUG = env.debug()
ALLOWED_HOSTS = env.allowed_hosts()
CSRF_TRUSTED_ORIGINS = env.csrf_trusted_origins()

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "channels",
    "django_celery_beat",
    "django_htmx",
    "knox",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "apps.accounts",
    "apps.pages",
    "apps.audit",
    "apps.live",
    "apps.projects",
    "apps.people",
    "apps.webhooks",
    "apps.slas",
    "apps.datasets",
    "apps.features",
    "apps.labeling",
    "apps.quality",
    "apps.transfer",
    "apps.training",
    "apps.evaluation",
    "apps.releases",
    "apps.monitoring",
    "apps.lineage",
    "apps.notices",
    "apps.loop",
    "apps.label_studio",
    "apps.sources",
    "apps.cases",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "fastloop_console.zones.TimeZoneMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "fastloop_console.middleware.DomainErrorMiddleware",
]

ROOT_URLCONF = "fastloop_console.urls"
ASGI_APPLICATION = "fastloop_console.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "apps.projects.context.current_project",
            ],
            "builtins": ["apps.pages.templatetags.wording", "apps.pages.templatetags.markup"],
        },
    }
]

AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = "accounts:sign_in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "accounts:sign_in"
AUTHENTICATION_BACKENDS = [  # the second for sessions of earlier releases; it is never asked for a password
    "apps.people.backend.GuardedBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
PASSWORD_HASHERS = ["apps.accounts.hashing.AsidePBKDF2PasswordHasher"]

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("es", "Español")]  # each in its own words, for those who look for it
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
TIME_ZONE = "UTC"  # of whoever chose none and whose browser said none
USE_I18N = True
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

STATIC_URL = "static/"
_plotly = Path(str(find_spec("plotly").origin)).parent  # type: ignore[union-attr]  # found without importing it
STATICFILES_DIRS = [BASE_DIR / "static", ("plotly", _plotly / "package_data")]
STATIC_ROOT = env.home() / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True  # a fresh checkout serves its sheet without `collectstatic`

DATA_UPLOAD_MAX_MEMORY_SIZE = 32_000_000  # plain posts; files stream to disk and are limited in asgi.py
MAX_UPLOAD_BYTES = env.max_upload_bytes()

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# No request leaves for a foreign host. Plotly writes style attributes, hence 'unsafe-inline' for styles only.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'", "'unsafe-inline'"],
        "img-src": ["'self'", "data:", "blob:"],
        "connect-src": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'self'"],
        "form-action": ["'self'"],
    }
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "apps.people.token_access.GrantedTokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": [
        "rest_framework.permissions.IsAuthenticated",
        "apps.people.token_access.WithinScope",
    ],
    "DEFAULT_RENDERER_CLASSES": ["fastloop_console.api_rendering.WholeJSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "fastloop_console.api_schema.ApiSchema",
    "EXCEPTION_HANDLER": "fastloop_console.api_errors.answer",
    "DEFAULT_PAGINATION_CLASS": "apps.pages.pagination.Pages",
    "PAGE_SIZE": 50,
}
REST_KNOX = {"TOKEN_TTL": None, "AUTH_HEADER_PREFIX": "Token"}
SPECTACULAR_SETTINGS = {
    "TITLE": "FastLoop Console",
    "DESCRIPTION": "Collect, annotate, train, evaluate, deploy and monitor: the loop as an API.",
    "VERSION": "1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "OAS_VERSION": "3.1.0",
    "ENUM_NAME_OVERRIDES": {
        "RunStateEnum": "apps.training.models.RunState",
        "RunKindEnum": "apps.training.models.RunKind",
        "IngestionStateEnum": "apps.datasets.models.IngestionState",
        "NoticeLevelEnum": ["alarm", "warning", "info"],
        "OutcomeEnum": "apps.evaluation.models.Outcome",
        "RolloutPhaseEnum": ["Progressing", "Paused", "Healthy", "Degraded"],
        "MetricPhaseEnum": ["Running", "Successful", "Failed", "Inconclusive"],
    },
}
CODE_VERSION = env.code_version()
