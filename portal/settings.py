"""Settings. What an installation may choose comes from the environment, through portal.env."""

from __future__ import annotations

import sys
from pathlib import Path

import dj_database_url
from csp.constants import NONE, SELF
from django.core.management.utils import get_random_secret_key
from django.utils.translation import gettext_lazy as _

from portal import env
from portal.accounts import openid_connect

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
    text="A proxy in front ends TLS and says in headers who it speaks for (docs/deployment/).",
)
TRUSTED_PROXY_ADDRESSES = env.read(
    "TRUSTED_PROXY_ADDRESSES",
    group="Installation",
    kind="list",
    default="127.0.0.1,::1",
    text="With TRUSTED_PROXY: addresses or networks of that proxy, as this process sees them. "
    "The headers of anybody else are ignored.",
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
    kind="database",
    default=f"sqlite:///{VAR_DIR / 'demo.sqlite3'}",
    text="`postgres://user:password@host:port/name` or `sqlite:///path`. Without it: a file in `var/`.",
)
REDIS_URL = env.read(
    "REDIS_URL",
    group="Services",
    kind="redis",
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
    "drf_spectacular",
    "django_filters",
    "django_htmx",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.usersessions",
    "stations",
    "smartcharging",
    "v2x",
    "portal.accounts",
    "portal.compliance",
    "portal.notices",
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
    "portal.accounts.second_factor.SecondFactorMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "portal.accounts.last_visit.LastVisitMiddleware",
    "portal.visits.visits",
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
# A connection is kept, and asked once for each request whether it still leads anywhere: a restart of the database
# costs nobody a page, and no station its first try.
DATABASES = {"default": dj_database_url.parse(DATABASE_URL, conn_max_age=None, conn_health_checks=True)}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    VAR_DIR.mkdir(exist_ok=True)
    DATABASES["default"]["ENGINE"] = "portal.sqlite3"  # in which threads take turns at writing
    # As Django's own would have it: pytest-django knows only that one by its name.
    DATABASES["default"]["TEST"] = {"NAME": ":memory:"}
    DATABASES["default"]["OPTIONS"] = {
        # A transaction that reads first and writes later cannot be upgraded while another writes: begin as a writer.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        # FULL: what was acknowledged survives a power cut; under group commit it costs nothing that can be measured.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
    }
else:
    # A line that was cut without a word is found, by TCP itself, within about as long as the writer waits.
    DATABASES["default"]["OPTIONS"] = {
        "connect_timeout": 5,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 20_000,
        **DATABASES["default"].get("OPTIONS", {}),
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
if REDIS_URL:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": REDIS_URL,
            # A station that knocks waits for it: better without its brakes than not at all.
            "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1},
        }
    }
    # The layer waits 5 s for a message, which is as long as redis-py waits for any answer: that has to be longer.
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.core.RedisChannelLayer",
            "CONFIG": {"hosts": [{"address": REDIS_URL, "socket_timeout": 20}]},
        }
    }
else:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
            # Who guesses at many doors must not push the others' counts out (the default is 300).
            "OPTIONS": {"MAX_ENTRIES": 100_000},
        }
    }
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
# An account begins with a mail that was read, or in the administration; a new address is verified before it counts.
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = "Laadbewijs: "
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_RATE_LIMITS = {"invite": "30/h/user"}
ACCOUNT_ADAPTER = "portal.accounts.adapter.AccountAdapter"
ACCOUNT_FORMS = {"add_email": "portal.accounts.allauth_forms.AddEmailForm"}
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
INVITATION_DAYS = env.read(
    "INVITATION_DAYS",
    group="People",
    kind="number",
    default="7",
    text="How long the link in an invitation works, in days.",
)

SECOND_FACTOR_REQUIRED = env.read(
    "SECOND_FACTOR_REQUIRED",
    group="People",
    kind="yes/no",
    default="yes" if HTTPS else "no",
    text="Who has a role, or may enter the administration, reaches nothing before an app or a passkey is set up. "
    "With HTTPS the default is yes.",
)
MFA_ADAPTER = "portal.accounts.adapter.SecondFactorAdapter"
MFA_FORMS = {
    "add_webauthn": "portal.accounts.allauth_forms.AddKeyForm",
    "authenticate_webauthn": "portal.accounts.allauth_forms.AuthenticateKeyForm",
    "edit_webauthn": "portal.accounts.allauth_forms.EditKeyForm",
    "login_webauthn": "portal.accounts.allauth_forms.LoginKeyForm",
    "reauthenticate_webauthn": "portal.accounts.allauth_forms.ReauthenticateKeyForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Laadbewijs"
# Who is here was invited at that address.
MFA_ALLOW_UNVERIFIED_EMAIL = True

OIDC_ISSUER = env.read(
    "OIDC_ISSUER",
    group="People",
    kind="text",
    default="",
    text="Address of an OpenID Connect provider, without `/.well-known/`. With it people may sign in through it; "
    "the address to return to is `/account/oidc/sso/login/callback/`.",
)
OIDC_NAME = env.read(
    "OIDC_NAME",
    group="People",
    kind="text",
    default="Single sign-on",
    text="What people call that provider.",
)
OIDC_CLIENT_ID = env.read(
    "OIDC_CLIENT_ID", group="People", kind="text", default="", text="What that provider calls this portal."
)
OIDC_CLIENT_SECRET = env.read(
    "OIDC_CLIENT_SECRET", group="People", kind="secret", default="", text="The secret that goes with it."
)
OIDC_VERIFIED_DOMAINS = env.read(
    "OIDC_VERIFIED_DOMAINS",
    group="People",
    kind="list",
    default="",
    text="Mail domains of which that provider knows the addresses, where it does not say `email_verified` itself.",
)
OIDC_ASSURES_SECOND_FACTOR = env.read(
    "OIDC_ASSURES_SECOND_FACTOR",
    group="People",
    kind="yes/no",
    default="no",
    text="That provider asks for a second factor itself: who comes from there needs none here.",
)
SOCIALACCOUNT_ADAPTER = "portal.accounts.adapter.SocialAccountAdapter"
# The verified address of somebody with an account, or with an invitation, links the two for good.
SOCIALACCOUNT_EMAIL_AUTHENTICATION = SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True
SOCIALACCOUNT_PROVIDERS = openid_connect.providers(
    issuer=OIDC_ISSUER,
    name=OIDC_NAME,
    client_id=OIDC_CLIENT_ID,
    secret=OIDC_CLIENT_SECRET,
    verified_domains=OIDC_VERIFIED_DOMAINS,
)

# ---------------------------------------------------------------- mail
EMAIL_HOST = env.read(
    "EMAIL_HOST",
    group="Mail",
    kind="text",
    default="",
    text="Mail server (SMTP). Without one, mail is printed where the portal runs.",
)
EMAIL_PORT = env.read("EMAIL_PORT", group="Mail", kind="number", default="587", text="Its port.")
EMAIL_HOST_USER = env.read(
    "EMAIL_HOST_USER",
    group="Mail",
    kind="text",
    default="",
    text="Name to sign in with there, where it asks.",
)
EMAIL_HOST_PASSWORD = env.read(
    "EMAIL_HOST_PASSWORD", group="Mail", kind="secret", default="", text="The password that goes with it."
)
EMAIL_USE_TLS = env.read(
    "EMAIL_USE_TLS", group="Mail", kind="yes/no", default="yes", text="Encrypt the way there (STARTTLS)."
)
DEFAULT_FROM_EMAIL = env.read(
    "EMAIL_FROM",
    group="Mail",
    kind="text",
    default="Laadbewijs <laadbewijs@localhost>",
    text="Who mail is from.",
)
EMAIL_TIMEOUT = 10
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if EMAIL_HOST else 'console'}.EmailBackend"

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
THEME_CLASS = env.read(
    "THEME_CLASS",
    group="Installation",
    kind="text",
    default="",
    text="The class of the municipality's own theme (docs/frame.md), for example `voorbeeldstad-theme`.",
)
THEME_FILE = env.read(
    "THEME_FILE",
    group="Installation",
    kind="text",
    default="",
    text="The style sheet with that theme. It is served as it is.",
)
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "portal" / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "portal.frontend.NodeModulesFinder",
    "portal.frontend.ThemeFinder",
]
# `collectstatic` puts a compressed copy beside each file. Where it ran (the image), what it made is served; else the
# files are found where they stand, as they are. Why pages are not compressed: docs/frame.md.
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = not (STATIC_ROOT / "portal" / "portal.css").is_file()

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
        # The redirect after the form that signs in through a provider counts as the form's own.
        "form-action": [SELF, *openid_connect.origins(OIDC_ISSUER)],
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
API_READS_PER_MINUTE = env.read(
    "API_READS_PER_MINUTE",
    group="API",
    kind="number",
    default="600",
    text="So many questions a minute for each token; beyond that the answer is 429, with when to come back.",
)
API_WRITES_PER_MINUTE = env.read(
    "API_WRITES_PER_MINUTE",
    group="API",
    kind="number",
    default="300",
    text="The same for what changes something.",
)
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "portal.accounts.api_access.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": [
        "rest_framework.permissions.IsAuthenticated",
        "portal.accounts.api_access.WithinScope",
    ],
    "DEFAULT_THROTTLE_CLASSES": ["portal.accounts.api_access.Reads", "portal.accounts.api_access.Writes"],
    "DEFAULT_PARSER_CLASSES": [
        "portal.json_body.JSONBody",
        "rest_framework.parsers.FormParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "DEFAULT_PAGINATION_CLASS": "portal.paging.Pages",
    "PAGE_SIZE": 100,
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "portal.api_schema.DescribedView",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "COERCE_DECIMAL_TO_STRING": False,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Laadbewijs",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "portal.api_schema.with_refusals",
    ],
    # Two fields of one choice: without a name of its own it would get one of each.
    "ENUM_NAME_OVERRIDES": {
        "RegisterFallEnum": "stations.models.session.Fall",
        "KindEnum": "smartcharging.models.DesiredProfile.Kind",
        "CertificateKindEnum": "stations.models.security.StationCertificate.Kind",
        "WebhookStateEnum": "portal.notices.webhooks.models.Endpoint.State",
        "DeliveryStateEnum": "portal.notices.webhooks.models.Delivery.State",
    },
}

# ---------------------------------------------------------------- Celery
CELERY_BROKER_URL = REDIS_URL or "memory://localhost/"
# The in-memory transport sleeps a whole second between looks unless told otherwise.
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {"socket_connect_timeout": 2, "socket_timeout": 5, "visibility_timeout": 900}
    if REDIS_URL
    else {"polling_interval": 0.02}
)
# With Redis away a task is not sent, at once; the rounds of beat find its row later.
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
# Celery would close it after each task; portal.celery lets go of one that broke, and of no other.
CELERY_DB_REUSE_MAX = sys.maxsize
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_REDIRECT_STDOUTS = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BEAT_SCHEDULE = {
    # A lost nudge costs a minute, never a limit.
    "reconcile-unconfirmed": {"task": "smartcharging.tasks.reconcile_unconfirmed", "schedule": 60.0},
    "keep-safe-limits": {"task": "smartcharging.tasks.keep_safe_limits", "schedule": 300.0},
    "expire-commands": {"task": "stations.tasks.expire_commands", "schedule": 10.0},
    "ask-unread-capabilities": {"task": "stations.tasks.ask_unread_capabilities", "schedule": 60.0},
    "settle-costs": {"task": "stations.tasks.settle_costs", "schedule": 3600.0},
    "tell-running-costs": {"task": "stations.tasks.tell_running_costs", "schedule": 15.0},
    "carry-out-erasures": {"task": "portal.accounts.tasks.carry_out_erasures", "schedule": 3600.0},
    "look-after-claims": {"task": "stations.tasks.look_after_claims", "schedule": 10.0},
    "release-dead-leases": {"task": "stations.tasks.release_dead_leases", "schedule": 30.0},
    "look-after-certificates": {"task": "stations.tasks.look_after_certificates", "schedule": 60.0},
    "delete-old-frames": {"task": "stations.tasks.delete_old_frames", "schedule": 3600.0},
    "roll-up-readings": {"task": "stations.tasks.roll_up_readings", "schedule": 300.0},
    "delete-old-readings": {"task": "stations.tasks.delete_old_readings", "schedule": 3600.0},
    "look-after-rollouts": {"task": "stations.tasks.look_after_rollouts", "schedule": 30.0},
    "delete-old-files": {"task": "stations.tasks.delete_old_files", "schedule": 3600.0},
    "measure-connections": {"task": "stations.tasks.measure_connections", "schedule": 300.0},
    "recover-probes": {"task": "portal.compliance.tasks.recover_probes", "schedule": 30.0},
    "count-usage": {"task": "portal.compliance.tasks.count_usage", "schedule": 900.0},
    "observe-discharges": {"task": "portal.compliance.tasks.observe_discharges", "schedule": 60.0},
    "tell-news": {"task": "portal.notices.tasks.tell_news", "schedule": 30.0},
    "send-mails": {"task": "portal.notices.tasks.send_mails", "schedule": 30.0},
    "deliver-webhooks": {"task": "portal.notices.tasks.deliver_webhooks", "schedule": 5.0},
    "delete-old-notices": {"task": "portal.notices.tasks.delete_old_notices", "schedule": 3600.0},
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
OCPP_RUNNING_COST_S = env.read(
    "OCPP_RUNNING_COST_S",
    group="OCPP",
    kind="number",
    default="60",
    text="A 2.x station that shows costs is told what a running session costs so far, where that changed, "
    "at most once in so many seconds. 0: only the total at the end.",
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
OCPP_FLOOD_S = env.read(
    "OCPP_FLOOD_S",
    group="OCPP",
    kind="seconds",
    default="10",
    text="A station that sends more than that for so many seconds on end is closed with 1008.",
)
OCPP_LEASE_S = env.read(
    "OCPP_LEASE_S",
    group="OCPP",
    kind="seconds",
    default="45",
    text="A server process that has not been heard of for this long holds no station any more.",
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
OCPP_READING_RETENTION_DAYS = env.read(
    "OCPP_READING_RETENTION_DAYS",
    group="OCPP",
    kind="number",
    default="1100",
    text="How long meter readings are kept, in days. Whole months go at once on PostgreSQL.",
)
OCPP_QUARTER_RETENTION_DAYS = env.read(
    "OCPP_QUARTER_RETENTION_DAYS",
    group="OCPP",
    kind="number",
    default="3700",
    text="How long the quarter-hours made of readings are kept, in days.",
)

OCPP_MAX_CONNECTIONS = env.read(
    "OCPP_MAX_CONNECTIONS",
    group="OCPP",
    kind="number",
    default="20000",
    text="Connections of one process; the next station gets 503 and tries again.",
)
OCPP_MAX_CONNECTIONS_PER_ADDRESS = env.read(
    "OCPP_MAX_CONNECTIONS_PER_ADDRESS",
    group="OCPP",
    kind="number",
    default="10000",
    text="Connections of one process from one address; the next gets 429. A whole fleet may share an address.",
)
CA_CERTIFICATE = env.read(
    "CA_CERTIFICATE",
    group="Certificates",
    kind="text",
    default="",
    text="File (PEM) with the certificate of the authority that signs for stations. Without it requests are rejected.",
)
CA_KEY = env.read(
    "CA_KEY",
    group="Certificates",
    kind="text",
    default="",
    text="File (PEM, no passphrase) with the key of that authority, readable by the portal alone.",
)
CERTIFICATE_SIGNER = env.read(
    "CERTIFICATE_SIGNER",
    group="Certificates",
    kind="text",
    default="",
    text="Instead of CA_CERTIFICATE: dotted path of a function `(csr, *, identity, kind, now)` "
    "that gives the chain (PEM).",
)
CERTIFICATE_VALID_DAYS = env.read(
    "CERTIFICATE_VALID_DAYS",
    group="Certificates",
    kind="number",
    default="365",
    text="How long a certificate that CA_KEY signs is valid, in days.",
)
CERTIFICATE_WARN_DAYS = env.read(
    "CERTIFICATE_WARN_DAYS",
    group="Certificates",
    kind="number",
    default="30",
    text="So many days before a certificate of a station expires, there is a warning and it is asked for a new one.",
)

# ---------------------------------------------------------------- files of stations
UPLOAD_DIR = env.read(
    "UPLOAD_DIR",
    group="Files",
    kind="text",
    default=str(VAR_DIR / "uploads"),
    text="Folder for logs and diagnostics of stations, and for firmware. Every process needs the same one.",
)
REQUEST_MAX_BYTES = 16 << 20  # of any other request; portal.body_limit
UPLOAD_MAX_BYTES = env.read(
    "UPLOAD_MAX_BYTES",
    group="Files",
    kind="number",
    default="104857600",
    text="A larger log of a station is refused.",
)
UPLOAD_LINK_HOURS = env.read(
    "UPLOAD_LINK_HOURS",
    group="Files",
    kind="number",
    default="24",
    text="How long a station can use the link for its log, in hours.",
)
UPLOAD_RETENTION_DAYS = env.read(
    "UPLOAD_RETENTION_DAYS",
    group="Files",
    kind="number",
    default="90",
    text="How long files of stations are kept, in days.",
)
FIRMWARE_MAX_BYTES = env.read(
    "FIRMWARE_MAX_BYTES",
    group="Files",
    kind="number",
    default="524288000",
    text="A larger firmware is refused.",
)
FIRMWARE_LINK_HOURS = env.read(
    "FIRMWARE_LINK_HOURS",
    group="Files",
    kind="number",
    default="168",
    text="How long a station can use the link for its firmware, in hours.",
)
CONNECTION_RETENTION_DAYS = env.read(
    "CONNECTION_RETENTION_DAYS",
    group="OCPP",
    kind="number",
    default="400",
    text="How long the connections of a station are kept, in days.",
)

# ---------------------------------------------------------------- drivers
ERASURE_AFTER_DAYS = env.read(
    "ERASURE_AFTER_DAYS",
    group="Drivers",
    kind="number",
    default="14",
    text="Who asks to be erased can take it back for so many days; then it is done. The law gives a month.",
)

# ---------------------------------------------------------------- proof
EVIDENCE_VALID_DAYS = env.read(
    "EVIDENCE_VALID_DAYS",
    group="Proof",
    kind="number",
    default="365",
    text="A proof older than this is stale, in days.",
)

# ---------------------------------------------------------------- officials
VISIT_AWAY_MIN = env.read(
    "VISIT_AWAY_MIN",
    group="Officials",
    kind="number",
    default="30",
    text="A visit of an official ends when nothing was asked for this long, in minutes; "
    "what is new since then stands on the overview.",
)
USAGE_MIN_GROUP = env.read(
    "USAGE_MIN_GROUP",
    group="Officials",
    kind="number",
    default="10",
    text="Figures on the use of an area are shown from so many drivers and so many sessions on.",
)
MAP_TILES_URL = env.read(
    "MAP_TILES_URL",
    group="Officials",
    kind="text",
    default="",
    text="Background of the map of stations, for example "
    "`https://service.pdok.nl/brt/achtergrondkaart/wmts/v2_0/standaard/EPSG:3857/{z}/{x}/{y}.png`. "
    "Who opens the map then asks that server for pictures. Without it the map has a plain background.",
)
MAP_TILES_ATTRIBUTION = env.read(
    "MAP_TILES_ATTRIBUTION",
    group="Officials",
    kind="text",
    default="Kaartgegevens © Kadaster",
    text="Whose background that is; it stands on the map.",
)

# ---------------------------------------------------------------- notices
NOTICE_SILENT_MINUTES = env.read(
    "NOTICE_SILENT_MINUTES",
    group="Notices",
    kind="number",
    default="30",
    text="A station without a connection for longer than this is told of, in minutes.",
)
NOTICE_TERM_DAYS = env.read(
    "NOTICE_TERM_DAYS",
    group="Notices",
    kind="number",
    default="7",
    text="So many days before a term to restore ends, people are told.",
)
NOTICE_FLOOD = env.read(
    "NOTICE_FLOOD",
    group="Notices",
    kind="number",
    default="5",
    text="Of one kind and party at most so many notices in an hour; what comes beyond is counted in one.",
)
NOTICE_DIGEST_HOUR = env.read(
    "NOTICE_DIGEST_HOUR",
    group="Notices",
    kind="number",
    default="7",
    text="At which hour of the clock the daily mail goes out, from 0 to 23.",
)
NOTICE_RETENTION_DAYS = env.read(
    "NOTICE_RETENTION_DAYS",
    group="Notices",
    kind="number",
    default="400",
    text="How long notices and what was sent by webhooks are kept, in days.",
)
WEBHOOKS_TO_PRIVATE = env.read(
    "WEBHOOKS_TO_PRIVATE",
    group="Notices",
    kind="yes/no",
    default="no",
    text="Webhooks may go to this machine and to private networks, and over plain HTTP. For a demo and for tests.",
)

# ---------------------------------------------------------------- what happened
LOG_LEVEL = env.read(
    "LOG_LEVEL", group="Installation", kind="text", default="INFO", text="DEBUG, INFO, WARNING or ERROR."
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "filters": {"without_bad_text": {"()": "portal.logs.WithoutBadText"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        "uvicorn.error": {"level": "WARNING", "filters": ["without_bad_text"]},
        "celery": {"level": "WARNING"},
    },
}
