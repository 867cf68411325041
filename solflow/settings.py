"""Everything that can be set, in one file. Names and meanings: docs of the environment are in README and .env.example.

`manage.py up` generates what is missing and puts it into the environment of the processes that it starts; other
commands find it in the data directory (solflow/datadir.py). Started in any other way, SolFlow wants it all said.
"""

from __future__ import annotations

from pathlib import Path

from solflow import env

BASE_DIR = Path(__file__).resolve().parent.parent

SOLFLOW_ENV = env.choice("SOLFLOW_ENV", "production", ("production", "local"))
LOCAL = SOLFLOW_ENV == "local"
DATA_DIR = Path(env.text("SOLFLOW_DATA_DIR", ".solflow")).resolve()
DEBUG = LOCAL and env.choice("DEBUG", "0", ("0", "1")) == "1"

# Secrets. The worker alone gets FIELD_ENCRYPTION_KEYS; executions.keys reads them where they are used.
SECRET_KEY = env.text("SECRET_KEY", "local-only-not-a-secret" if LOCAL else None)
SECRET_KEY_FALLBACKS = env.words("SECRET_KEY_FALLBACKS")
FIELD_ENCRYPTION_PUBLIC_KEY = env.text("FIELD_ENCRYPTION_PUBLIC_KEY", "" if LOCAL else None)
FIELD_ENCRYPTION_KEYS = env.words("FIELD_ENCRYPTION_KEYS")

# Solana
SOLANA_NETWORK = env.choice("SOLANA_NETWORK", "localnet", ("localnet", "devnet", "testnet", "mainnet-beta"))
SOLANA_RPC_URLS = env.urls("SOLANA_RPC_URLS", "http://127.0.0.1:8899", ("http", "https"), distinct=True)
SOLANA_WS_URLS = env.urls("SOLANA_WS_URLS", ",".join(map(env.websocket_url, SOLANA_RPC_URLS)), ("ws", "wss"))
SOLANA_RPC_TIMEOUT_S = env.number("SOLANA_RPC_TIMEOUT_S", 10.0, 0.1, 120)

# The engine. Tests shrink windows, ladders and leases by one factor; production cannot.
WORKER_CONCURRENCY = env.integer("WORKER_CONCURRENCY", 5, 1, 256)
LISTENER_SHARD = env.integer("LISTENER_SHARD", 0, 0, 1023)
LISTENER_SHARDS = env.integer("LISTENER_SHARDS", 1, 1, 1024)
# How many of SOLANA_WS_URLS are listened to at the same time: with two, the loss of one is no gap.
LISTENER_ENDPOINTS_AT_ONCE = env.integer("LISTENER_ENDPOINTS_AT_ONCE", 1, 1, 4)
# A gap with more transactions than this is not read back whole: its older part is shown as lost.
READ_BACK_MAX_SIGNATURES = env.integer("READ_BACK_MAX_SIGNATURES", 20_000, 1, 10_000_000)
# Executions that ended longer ago and signed nothing are deleted (executions.retention); 0 keeps everything.
EXECUTION_RETENTION_DAYS = env.integer("EXECUTION_RETENTION_DAYS", 0, 0, 36_500)
SOLFLOW_TEST_TIME_SCALE = env.number("SOLFLOW_TEST_TIME_SCALE", 1.0, 0.001, 1.0)
if SOLFLOW_TEST_TIME_SCALE != 1.0 and not LOCAL:
    env.refuse("SOLFLOW_TEST_TIME_SCALE", "is for tests: it must be unset when SOLFLOW_ENV is production")
PRIORITY_FEE_CAP_LAMPORTS = env.integer("PRIORITY_FEE_CAP_LAMPORTS", 10_000, 0, 10**9)
PRIORITY_FEE_PERCENTILE = env.integer("PRIORITY_FEE_PERCENTILE", 60, 0, 100)
OUTBOUND_ALLOWED_HOSTS = env.words("OUTBOUND_ALLOWED_HOSTS")
# Where email channels send by: EMAIL_HOST and the like, as Django names them.
globals().update(env.email("EMAIL_URL"))
SOLFLOW_INBOX = LOCAL and env.choice("SOLFLOW_INBOX", "0", ("0", "1")) == "1"
FLOWER_URL = env.text("FLOWER_URL", "http://127.0.0.1:5555" if LOCAL else "")

# What is told to others, off unless set: errors to Sentry, traces to an OpenTelemetry collector.
SENTRY_DSN = env.sentry_dsn("SENTRY_DSN")
OTEL_EXPORTER_OTLP_ENDPOINT = env.collector("OTEL_EXPORTER_OTLP_ENDPOINT")

# Data
DATABASE_URL = env.text("DATABASE_URL", "postgresql://127.0.0.1/solflow" if LOCAL else None)
DATABASES = {
    "default": env.database("DATABASE_URL", DATABASE_URL),
    # The role that owns the tables; `manage.py migrate` uses it unasked.
    "owner": {**env.database("DATABASE_OWNER_URL", DATABASE_URL), "CONN_MAX_AGE": 0},
}
# LISTEN/NOTIFY needs a session of its own, which a transaction pooler does not give.
DATABASE_DIRECT_URL = env.text("DATABASE_DIRECT_URL", DATABASE_URL)
if DATABASE_DIRECT_URL == DATABASE_URL:
    # Sessions of our own can keep prepared statements (accounts.prepared). By itself PostgreSQL plans the first five
    # executions of each anew, in every process.
    _options = DATABASES["default"]["OPTIONS"]
    _options["prepare_threshold"] = 1
    _options["options"] = f"{_options.get('options', '')} -c plan_cache_mode=force_generic_plan".strip()
# Where the past is read from (executions.history).
if DATABASE_REPLICA_URL := env.text("DATABASE_REPLICA_URL", ""):
    DATABASES["replica"] = env.database("DATABASE_REPLICA_URL")
    DATABASES["replica"]["OPTIONS"].setdefault("connect_timeout", 2)
    DATABASE_ROUTERS = ["executions.history.HistoryRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = env.text("REDIS_URL", "redis://127.0.0.1:6379/0" if LOCAL else None)
CACHES = {
    "default": {
        "BACKEND": "solflow.cache.ForgivingRedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"socket_timeout": 2, "socket_connect_timeout": 2},
    }
}

# Celery is a wake-up call: the database is the queue of record (ARCHITECTURE.md), so results of the hot path are not
# kept, and a broker that lost everything costs the sweeper's few seconds.
CELERY_BROKER_URL = env.text("CELERY_BROKER_URL", REDIS_URL)
CELERY_RESULT_BACKEND = "django-db"
CELERY_RESULT_EXTENDED = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CONCURRENCY = WORKER_CONCURRENCY
# On SIGQUIT, and on SIGTERM where REMAP_SIGTERM says so (Procfile): running tasks get this long, then go back.
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 10.0
CELERY_WORKER_ENABLE_SOFT_SHUTDOWN_ON_IDLE = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SEND_TASK_EVENTS = True
CELERY_TASK_SOFT_TIME_LIMIT = 60
CELERY_TASK_TIME_LIMIT = 90
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # A message whose worker was lost comes back after this; the sweeper is much faster, so it is only tidiness.
    # It must exceed the hard time limit, or a running task is delivered again.
    "visibility_timeout": 300,
    # Queues are served in the order the worker names them: confirmations first (Procfile).
    "queue_order_strategy": "priority",
    "socket_keepalive": True,
}
CELERY_TASK_DEFAULT_QUEUE = "maintenance"
CELERY_TASK_ROUTES = {
    "executions.advance": {"queue": "executions"},
    "executions.confirm": {"queue": "confirmations"},
    # It finds what was lost and records finality: a burst must not starve it.
    "executions.sweep": {"queue": "confirmations"},
    # Short, and late already: behind a burst of executions each call would expire, and no schedule would run.
    "executions.fire_schedules": {"queue": "confirmations"},
    "executions.notify": {"queue": "notifications"},
}
CELERY_TIMEZONE = "UTC"

# Django
INSTALLED_APPS = [
    "solflow.apps.SolflowConfig",
    "accounts",
    "workflows",
    "executions",
    "listener",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "corsheaders",
    "django_celery_results",
    "django_filters",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "pgtrigger",
]
MIDDLEWARE = [
    "accounts.middleware.RemoteAddressMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "solflow.middleware.SecurityHeadersMiddleware",
    "solflow.middleware.LivePositionMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "solflow.health.ProbesMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.SessionSeenMiddleware",
    "accounts.middleware.CurrentTeamMiddleware",
    "solflow.middleware.OwnWritesMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "solflow.urls"
ASGI_APPLICATION = "solflow.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "solflow.context.shell",
            ],
        },
    }
]
LANGUAGE_CODE = "en"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = DATA_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
# Without `collectstatic` (a fresh clone, tests) files are served from where they lie, under their plain names.
WHITENOISE_USE_FINDERS = True
if not (STATIC_ROOT / "staticfiles.json").exists():
    STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}

# People
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "overview"
LOGOUT_REDIRECT_URL = "login"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]")
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")
# Closed unless named; cookies never cross, so another origin needs a token.
CORS_ALLOWED_ORIGINS = env.words("CORS_ALLOWED_ORIGINS")
CORS_URLS_REGEX = r"^/api/"
CORS_ALLOW_HEADERS = ("accept", "authorization", "content-type", "idempotency-key")
CORS_EXPOSE_HEADERS = ("retry-after",)
AUTHENTICATION_BACKENDS = ["accounts.sign_in_delays.DelayingBackend"]
SESSION_ENGINE = "accounts.sessions"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not LOCAL
SECURE_PROXY_SSL_HEADER = None if LOCAL else ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 0 if LOCAL else 31_536_000
# Whether subdomains and browsers' preload lists are bound too is not for one application of a domain to say (W005,
# W021), and whoever speaks TLS in front of us redirects to it: probes from within ask without (W008).
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021", "security.W008"]
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_048_576

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.permissions.TeamPermission"],
    "DEFAULT_RENDERER_CLASSES": ["solflow.api.rendering.IntegersAsTextRenderer"],
    "DEFAULT_PARSER_CLASSES": ["solflow.api.rendering.StorableJSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "solflow.api.rendering.OneFormat",
    "DEFAULT_PAGINATION_CLASS": "solflow.api.pagination.KeysetPagination",
    "EXCEPTION_HANDLER": "solflow.api.errors.handle",
    "LIST_SERIALIZER_ERRORS_AS_DICT": True,
    "DEFAULT_SCHEMA_CLASS": "solflow.api.document.ApiSchema",
    "DEFAULT_THROTTLE_CLASSES": ["accounts.throttling.TokenThrottle"],
    "DEFAULT_THROTTLE_RATES": {"token": "100/second", "stranger": "1000/minute", "refused": "100/minute"},
    # X-Forwarded-For is for uvicorn to judge (FORWARDED_ALLOW_IPS), which puts what it believes into REMOTE_ADDR.
    "NUM_PROXIES": 0,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "SolFlow API",
    "DESCRIPTION": "Watch Solana, filter, land a transaction within limits, tell people. Exactly once.\n\n"
    "Amounts are integers in base units. `?integers=string` on any call makes every integer of the answer a string, for"
    " clients that lose digits above 2^53.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "solflow.api.document.add_definition",
        "solflow.api.document.close_bodies",
        "solflow.api.document.widen_integers",
    ],
    "ENUM_NAME_OVERRIDES": {
        "ExecutionStatus": "executions.api.execution.EXECUTION_STATUSES",
        "DeliveryStatus": "executions.api.execution.DELIVERY_STATUSES",
        "AttemptStatus": "executions.api.execution.ATTEMPT_STATUSES",
        "TransactionStatus": "executions.api.execution.TRANSACTION_STATUSES",
        "WaitingFor": "executions.api.execution.WAITING_FOR",
        "GapStatus": "listener.models.Gap.Status",
        "ChannelType": "workflows.models.Channel.Type",
    },
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "displayRequestDuration": True},
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
}

LOGGING_CONFIG = "solflow.logging.configure"
LOGGING = {"json": not LOCAL, "level": env.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR"))}
