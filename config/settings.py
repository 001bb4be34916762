"""Django's settings. What differs between installations is read in config.env."""

from __future__ import annotations

from datetime import timedelta

from config import env

BASE_DIR = env.ROOT
ASSAY_HOME = env.home()
SECRET_KEY = env.secret_key()
DEBUG = False
ALLOWED_HOSTS = env.words("ASSAY_ALLOWED_HOSTS") or [
    "localhost",
    "127.0.0.1",
    "[::1]",
    "testserver",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django_htmx",
    "drf_spectacular_sidecar",  # Swagger UI's files, served from here
    "rest_framework",
    "config",
    "registry",
    "monitoring",
    "governance",
]
MIDDLEWARE = [
    "config.tracing.TracingMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "config.headers.ContentSecurityPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "config.access.LocalAccessMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "config.paths.PathMiddleware",
    "config.problems.DomainErrorMiddleware",
]
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
            ]
        },
    }
]

# "default" is the application's role and owns nothing; "owner" runs migrations and nothing else.
DATABASES = {
    "default": env.database(env.database_url()),
    "owner": env.database(env.owner_database_url()),
}
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True  # a restarted server costs no request
# Seconds; a connection for each thread. Not a pool: psycopg's hands out the dead connections left
# by a crash one by one, ever more slowly, and 24 of them kept the product away for 30 seconds.
DATABASES["default"]["CONN_MAX_AGE"] = 60
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True  # serves from the packages: no collectstatic step to forget
LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/models/"
LOGOUT_REDIRECT_URL = "/login/"
SESSION_COOKIE_HTTPONLY = True
# Behind a proxy that speaks TLS the request itself does not show it; the address people use does.
ASSAY_BASE_URL = env.base_url()
CSRF_TRUSTED_ORIGINS = [ASSAY_BASE_URL]
CSRF_COOKIE_SECURE = SESSION_COOKIE_SECURE = ASSAY_BASE_URL.startswith("https://")
SESSION_COOKIE_SAMESITE = "Lax"
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
EMAIL_FILE_PATH = ASSAY_HOME / "mail"
DEFAULT_FROM_EMAIL = "assay@localhost"

REST_FRAMEWORK = {
    "EXCEPTION_HANDLER": "config.problems.handle",
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "config.access.InProcessAuthentication",
        "config.access.TokenAuthentication",
        "config.access.SessionAuthentication",
        "config.access.LocalAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["registry.permissions.HasScope"],
    "DEFAULT_THROTTLE_CLASSES": ["config.throttles.CallerThrottle"],
    "DEFAULT_PARSER_CLASSES": ["config.wire.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["config.wire.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "config.openapi.Schema",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}

CELERY_BROKER_URL = env.broker_url()
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False  # workers log as LOGGING says, request ids and all
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # for ever: nobody is served by a worker that ends
CELERY_BEAT_SCHEDULER = "config.beating:Scheduler"
CELERY_TASK_DEFAULT_QUEUE = "control"
CELERY_TASK_ROUTES = {
    "registry.tasks.send_owed": {"queue": "outside"},
    "registry.tasks.send_webhooks": {"queue": "webhooks"},
    "registry.tasks.send_to_webhook": {"queue": "webhooks"},
    "monitoring.tasks.do_playbook_effects": {"queue": "outside"},
    "monitoring.tasks.run_evaluation": {"queue": env.evaluation_queue()},
}
# A publisher must not hang while the broker is away: the row is safe and beat delivers later.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 120,  # seconds; no task may run longer than this
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    "max_retries": 1,
    "retry_on_timeout": True,
}
CELERY_VISIBILITY_TIMEOUT = 120
CELERY_TASK_PUBLISH_RETRY = False

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"request id": {"()": "config.request_ids.RequestIdFilter"}},
    "formatters": {
        "plain": {"format": "%(asctime)s %(levelname)s %(name)s [%(request_id)s] %(message)s"},
        "json": {
            "()": "pythonjsonlogger.json.JsonFormatter",
            "fmt": "%(asctime)s %(levelname)s %(name)s %(request_id)s %(message)s",
            "rename_fields": {"asctime": "time", "levelname": "level", "name": "logger"},
        },
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": env.log_format(),
            "filters": ["request id"],
        }
    },
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "django.request": {"level": "ERROR"},
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
    },
}

ASSAY_LOCAL_ACCESS = env.flag("ASSAY_LOCAL_ACCESS")
# How many in how many seconds; 0 counts nobody. A serving job sends batches of snapshots, so even
# 5,000 snapshots/s are a few requests; benchmarks make about 2,000 requests/s with one token.
ASSAY_THROTTLE_REQUESTS = env.rate("ASSAY_THROTTLE_REQUESTS", "50000/10")
ASSAY_THROTTLE_REFUSED = env.rate("ASSAY_THROTTLE_REFUSED", "1000/10")
# Wrong passwords, at signing in and at signing, by the name that is typed and by address.
ASSAY_THROTTLE_PASSWORDS = env.rate("ASSAY_THROTTLE_PASSWORDS", "10/900")
ASSAY_THROTTLE_PASSWORDS_ADDRESS = env.rate("ASSAY_THROTTLE_PASSWORDS_ADDRESS", "100/900")
ASSAY_TEAMS_REQUIRED = env.flag("ASSAY_TEAMS_REQUIRED")  # who is in no team then writes for none
ASSAY_HANDLER_MODULES = env.words("ASSAY_HANDLER_MODULES")
ASSAY_REDIS_URL = env.redis_client_url()
ASSAY_ARTIFACTS = ASSAY_HOME / "artifacts"
ASSAY_LEDGER_DIR = env.ledger_dir()  # its key, and the outside copies of its checkpoints
ASSAY_OPERATIONS_EMAIL = env.operations_email()
ASSAY_MAIL_DOMAIN = "assay.localhost"
ASSAY_MAX_ARTIFACT_BYTES = 10 * 1024**3
ASSAY_MAX_BODY_BYTES = 16 * 1024**2  # JSON bodies; 10,000 snapshots take about 4 MB
ASSAY_SNAPSHOT_RETENTION = timedelta(days=90)
ASSAY_WEBHOOK_ALLOW = env.words("ASSAY_WEBHOOK_ALLOW")  # hosts and networks beside public ones
ASSAY_SUBSCRIPTIONS = "config.subscriptions.SUBSCRIPTIONS"
# What the higher apps add to the registry's answers: callables that take versions.
ASSAY_ENTRY_PARTS = ["governance.flags.entry_part"]
ASSAY_LIVE_PARTS = ["governance.pages.progression_part"]
ASSAY_PAGE_PARTS = ["governance.pages.review_part"]
ASSAY_DETAIL_PARTS = ["monitoring.answers.detail_part"]
ASSAY_MANIFEST_KINDS = [
    "registry.manifests.families.REGISTERED_MODEL",
    "registry.manifests.versions.MODEL_VERSION",
    "monitoring.manifests.ROLLBACK_POLICY",
]
# How manifests ask for what the higher apps decide: by the verb that everybody calls.
ASSAY_PROMOTE = "governance.promotions.promote"
ASSAY_SET_POLICY = "governance.rules.set_policy"
ASSAY_YAML_DIR = env.manifests()  # kept current after each change; None: nowhere
ASSAY_PLAYBOOKS_DIR = env.playbooks()  # users' own; None: there are none
ASSAY_STATISTICS_PARTS = ["monitoring.answers.statistics_part"]
DATA_UPLOAD_MAX_MEMORY_SIZE = ASSAY_MAX_BODY_BYTES
