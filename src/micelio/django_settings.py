"""What Django wants to know, derived from `micelio.config`."""

from __future__ import annotations

from typing import Any

from micelio import config

_settings = config.current()

DEBUG = False
SECRET_KEY = _settings.secret_key()
ALLOWED_HOSTS = sorted({_settings.hostname, "localhost", "127.0.0.1", "[::1]"})
CSRF_TRUSTED_ORIGINS = [_settings.base_url]
ROOT_URLCONF = "micelio.urls"
WSGI_APPLICATION = None
APPEND_SLASH = False
USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = False
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Pages come before allauth so that their templates win.
INSTALLED_APPS = [
    "micelio.pages",
    "micelio.accounts",
    "micelio.organizations",
    "micelio.projects",
    "micelio.sessions",
    "micelio.audit",
    "micelio.jobs",
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "allauth",
    "allauth.account",
    "allauth.idp.oidc",
    "django_tasks",
    "django_tasks_db",
]
MIDDLEWARE = [
    "micelio.pages.cost.CostMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "micelio.edge.failures.ExpectedErrors",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
            ]
        },
    }
]

DATABASES: dict[str, Any] = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(_settings.database),
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            # DEFERRED loses 72 % of read-then-write transactions under six writers; IMMEDIATE none.
            "transaction_mode": "IMMEDIATE",
            "timeout": 10,
            "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;",
        },
    }
}
# Device codes and rate limits live here; a cache of one process would lose them between processes.
# The default of 300 entries would cull open device codes.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "micelio_cache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "/-/sign-in"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"
SESSION_COOKIE_AGE = 30 * 24 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = _settings.secure
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SECURE = _settings.secure
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200

# https means that one proxy stands in front; the last entry of its X-Forwarded-For is what limits count by.
# Without a proxy the header is whatever the visitor writes, and is not read.
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if _settings.secure else 0
ACCOUNT_ADAPTER = "micelio.accounts.sign_up.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = "handle"
ACCOUNT_USER_MODEL_EMAIL_FIELD = "email"
ACCOUNT_LOGIN_METHODS = {"email", "username"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "username*", "password1*"]
ACCOUNT_SIGNUP_FORM_CLASS = "micelio.accounts.forms.NameForm"
ACCOUNT_FORMS = {
    "login": "micelio.accounts.sign_in_forms.SignInForm",
    "signup": "micelio.accounts.sign_in_forms.SignUpForm",
}
ACCOUNT_PRESERVE_USERNAME_CASING = False
ACCOUNT_EMAIL_VERIFICATION = "none"
# With no mail to hide behind, a sign-up for a known address must say so.
ACCOUNT_PREVENT_ENUMERATION = False
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_EMAIL_NOTIFICATIONS = False

IDP_OIDC_ADAPTER = "micelio.accounts.oidc.OIDCAdapter"
IDP_OIDC_PRIVATE_KEY = _settings.signing_key()
IDP_OIDC_ACCESS_TOKEN_EXPIRES_IN = 3600
IDP_OIDC_REFRESH_TOKEN_EXPIRES_IN = 90 * 24 * 3600
IDP_OIDC_ROTATE_REFRESH_TOKEN = True
IDP_OIDC_DEVICE_CODE_EXPIRES_IN = 600
IDP_OIDC_DEVICE_CODE_INTERVAL = 2
# Guessing is bounded by this and by the code's own size: 20**8 values that live ten minutes.
IDP_OIDC_RATE_LIMITS = {"device_user_code": "30/m/ip"}

# No mail is sent by this version; whatever a library would send goes nowhere but the terminal.
EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "filters": {"scrub": {"()": "micelio.edge.access_log.Scrub"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain", "filters": ["scrub"]}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "django": {"handlers": [], "level": "WARNING", "propagate": True},
        # 4xx answers are the visitor's affair; only failures of ours are worth a line.
        "django.request": {"level": "ERROR"},
        "django.security.DisallowedHost": {"level": "CRITICAL"},
        "uvicorn.access": {"level": "INFO" if _settings.access_log else "CRITICAL"},
    },
}
