"""Settings. What an installation may choose comes from the environment, through portal.env."""

from __future__ import annotations

from pathlib import Path

import dj_database_url
from csp.constants import NONE, SELF
from django.core.management.utils import get_random_secret_key
from django.utils.translation import gettext_lazy as _

from portal import env

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"


def _local_secret_key() -> str:
    """A key of this machine's own, kept in var/: for the demo and for development, never for production."""
    path = VAR_DIR / "secret-key"
    if not path.exists():
        VAR_DIR.mkdir(exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(get_random_secret_key())
    return path.read_text()


# ---------------------------------------------------------------- the installation
DEBUG = env.read(
    "DEBUG",
    group="Installation",
    kind="yes/no",
    default="no",
    text="Show errors in full. Never in production.",
)
SECRET_KEY = (
    env.read(
        "SECRET_KEY",
        group="Installation",
        kind="secret",
        default="",
        text="Signs sessions and keys the hashes of station passwords and tokens. "
        "Without it a key is made in `var/`, for one machine.",
    )
    or _local_secret_key()
)
ALLOWED_HOSTS = env.read(
    "ALLOWED_HOSTS",
    group="Installation",
    kind="list",
    default="localhost,127.0.0.1,[::1]",
    text="Host names of the portal.",
)
HTTPS = env.read(
    "HTTPS",
    group="Installation",
    kind="yes/no",
    default="no",
    text="The portal is reached over TLS: secure cookies and HSTS.",
)
TRUSTED_PROXY = env.read(
    "TRUSTED_PROXY",
    group="Installation",
    kind="yes/no",
    default="no",
    text="A proxy in front sets X-Forwarded-Proto, and removes it from what clients send.",
)
PUBLIC_URL = env.read(
    "PUBLIC_URL",
    group="Installation",
    kind="text",
    default="http://localhost:8000",
    text="Address of the portal, as people type it.",
)
DATABASE_URL = env.read(
    "DATABASE_URL",
    group="Services",
    kind="secret",
    default=f"sqlite:///{VAR_DIR / 'demo.sqlite3'}",
    text="`postgres://user:password@host:port/name` or `sqlite:///path`. Without it: a file in `var/`.",
)
REDIS_URL = env.read(
    "REDIS_URL",
    group="Services",
    kind="secret",
    default="",
    text="`redis://host:port/db`, for Celery, nudges between processes and the cache. "
    "Without it everything runs in one process.",
)

# ---------------------------------------------------------------- the parts
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "channels",
    "rest_framework",
    "rest_framework.authtoken",
    "drf_spectacular",
    "django_filters",
    "django_htmx",
    "allauth",
    "allauth.account",
    "stations",
    "smartcharging",
    "v2x",
    "portal.accounts",
    "portal.compliance",
    "portal",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "portal.static_files.StaticFilesMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "portal.urls"
ASGI_APPLICATION = "portal.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "portal" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.pages.context.frame",
            ],
        },
    }
]

# ---------------------------------------------------------------- data
DATABASES = {"default": dj_database_url.parse(DATABASE_URL, conn_max_age=None)}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    VAR_DIR.mkdir(exist_ok=True)
    DATABASES["default"]["OPTIONS"] = {
        # A transaction that reads first and writes later cannot be upgraded while another writes: begin as a writer.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        # FULL: what was acknowledged survives a power cut; under group commit it costs nothing that can be measured.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
if REDIS_URL:
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}
    # The layer waits 5 s for a message, which is as long as redis-py waits for any answer: that has to be longer.
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.core.RedisChannelLayer",
            "CONFIG": {"hosts": [{"address": REDIS_URL, "socket_timeout": 20}]},
        }
    }
else:
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}

# ---------------------------------------------------------------- people
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_ADAPTER = "portal.accounts.adapter.AccountAdapter"
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"

# ---------------------------------------------------------------- language and time
LANGUAGE_CODE = "nl"
LANGUAGES = [("nl", _("Dutch")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "portal" / "locale"]
USE_I18N = True
USE_THOUSAND_SEPARATOR = True
TIME_ZONE = "Europe/Amsterdam"
USE_TZ = True

# ---------------------------------------------------------------- static files
STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "portal" / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "portal.frontend.NodeModulesFinder",
]
WHITENOISE_USE_FINDERS = True

# ---------------------------------------------------------------- security
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF],
        "font-src": [SELF],
        "worker-src": [SELF],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 365 * 86400 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXY else None
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

# ---------------------------------------------------------------- API
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.LimitOffsetPagination",
    "PAGE_SIZE": 100,
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "COERCE_DECIMAL_TO_STRING": False,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Laadbewijs",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
}

# ---------------------------------------------------------------- Celery
CELERY_BROKER_URL = REDIS_URL or "memory://localhost/"
# The in-memory transport sleeps a whole second between looks unless told otherwise.
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {"socket_connect_timeout": 2, "socket_timeout": 10} if REDIS_URL else {"polling_interval": 0.02}
)
# With Redis away a task is not sent, at once; the rounds of beat find its row later.
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_REDIRECT_STDOUTS = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BEAT_SCHEDULE = {
    # A lost nudge costs a minute, never a limit.
    "reconcile-unconfirmed": {"task": "smartcharging.tasks.reconcile_unconfirmed", "schedule": 60.0},
    "expire-commands": {"task": "stations.tasks.expire_commands", "schedule": 10.0},
    "release-dead-leases": {"task": "stations.tasks.release_dead_leases", "schedule": 30.0},
    "delete-old-frames": {"task": "stations.tasks.delete_old_frames", "schedule": 3600.0},
    "recover-probes": {"task": "portal.compliance.tasks.recover_probes", "schedule": 30.0},
}

# ---------------------------------------------------------------- OCPP
OCPP_HEARTBEAT_S = env.read(
    "OCPP_HEARTBEAT_S",
    group="OCPP",
    kind="number",
    default="300",
    text="Heartbeat interval given to a station at boot, in seconds.",
)
OCPP_SAMPLE_INTERVAL_S = env.read(
    "OCPP_SAMPLE_INTERVAL_S",
    group="OCPP",
    kind="number",
    default="60",
    text="Interval of meter samples asked of a station, in seconds.",
)
OCPP_PING_S = env.read(
    "OCPP_PING_S",
    group="OCPP",
    kind="seconds",
    default="30",
    text="Interval of websocket pings, in seconds. A half-open socket is found within two.",
)
OCPP_MAX_FRAME_BYTES = env.read(
    "OCPP_MAX_FRAME_BYTES",
    group="OCPP",
    kind="number",
    default="262144",
    text="A larger frame closes the socket.",
)
OCPP_MAX_FRAMES_PER_S = env.read(
    "OCPP_MAX_FRAMES_PER_S",
    group="OCPP",
    kind="number",
    default="500",
    text="A station that sends more frames in a second waits for the next.",
)
OCPP_CALL_TIMEOUT_S = env.read(
    "OCPP_CALL_TIMEOUT_S",
    group="OCPP",
    kind="seconds",
    default="30",
    text="After this time without an answer a command's outcome is unknown (not refused).",
)
OCPP_FRAME_RETENTION_DAYS = env.read(
    "OCPP_FRAME_RETENTION_DAYS",
    group="OCPP",
    kind="number",
    default="31",
    text="How long the frame log of a station is kept, in days.",
)

# ---------------------------------------------------------------- proof
EVIDENCE_VALID_DAYS = env.read(
    "EVIDENCE_VALID_DAYS",
    group="Proof",
    kind="number",
    default="365",
    text="A proof older than this is stale, in days.",
)

# ---------------------------------------------------------------- what happened
LOG_LEVEL = env.read(
    "LOG_LEVEL", group="Installation", kind="text", default="INFO", text="DEBUG, INFO, WARNING or ERROR."
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {"uvicorn.error": {"level": "WARNING"}, "celery": {"level": "WARNING"}},
}
