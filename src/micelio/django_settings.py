"""What Django wants to know, derived from `micelio.config`."""

from __future__ import annotations

from micelio import config, databases
from micelio.languages.known import LANGUAGES as _LANGUAGES
from micelio.languages.spoken import LOCALE

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
USE_I18N = True
LANGUAGE_CODE = "en"
LANGUAGES = [(language.code, language.name) for language in _LANGUAGES]
LOCALE_PATHS = [str(LOCALE)]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Pages come before allauth so that their templates win.
INSTALLED_APPS = [
    "micelio.api",
    "micelio.pages",
    "micelio.accounts",
    "micelio.organizations",
    "micelio.projects",
    "micelio.findings",
    "micelio.sessions",
    "micelio.search",
    "micelio.discovery",
    "micelio.imports",
    "micelio.archives",
    "micelio.exports",
    "micelio.tokens",
    "micelio.audit",
    "micelio.mail",
    "micelio.jobs",
    "micelio.cluster",
    "micelio.operators",
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.idp.oidc",
    "django_tasks",
    "django_tasks_db",
]
MIDDLEWARE = [
    "micelio.edge.charsets.OnlyUtf8",
    "micelio.pages.cost.CostMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "micelio.accounts.browser_sessions.BrowserSessions",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "micelio.languages.middleware.Languages",
    "allauth.account.middleware.AccountMiddleware",
    "micelio.audit.origin.OriginMiddleware",
    "micelio.edge.whereabouts.OnlyFromNetworks",
    "micelio.edge.limits.LimitRequests",
    "micelio.edge.hurry.HurryReads",
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
            ],
            "builtins": ["micelio.languages.tags"],
        },
    }
]

DATABASES = {"default": databases.default(_settings)}
# Device codes and rate limits live here; a cache of one process would lose them between processes.
# The default of 300 entries would cull open device codes.
CACHES = {
    "default": {
        "BACKEND": "micelio.sealed_cache.SealedCache",
        "KEY_FUNCTION": "micelio.sealed_cache.hashed",
        "LOCATION": "micelio_cache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["micelio.accounts.hashing.BoundedArgon2"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "micelio.accounts.passwords.BreachedPasswordValidator"},
]
LOGIN_URL = "/-/sign-in"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"
SESSION_ENGINE = "micelio.accounts.browser_sessions"
SESSION_COOKIE_AGE = 30 * 24 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = _settings.secure
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SECURE = _settings.secure
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200

# The edge has put the visitor's address in place of the connection's; allauth's own reading of headers would undo it.
ALLAUTH_TRUSTED_PROXY_COUNT = 0
ACCOUNT_ADAPTER = "micelio.accounts.sign_up.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = "handle"
ACCOUNT_USER_MODEL_EMAIL_FIELD = "email"
ACCOUNT_LOGIN_METHODS = {"email", "username"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "username*", "password1*"]
ACCOUNT_SIGNUP_FORM_CLASS = "micelio.accounts.forms.NameForm"
ACCOUNT_FORMS = {
    "login": "micelio.accounts.sign_in_forms.SignInForm",
    "signup": "micelio.accounts.sign_in_forms.SignUpForm",
    "add_email": "micelio.accounts.sign_in_forms.NewAddressForm",
    "reset_password": "micelio.accounts.sign_in_forms.ResetForm",
    "reset_password_from_key": "micelio.accounts.sign_in_forms.FreshPasswordForm",
    "reauthenticate": "micelio.accounts.sign_in_forms.PasswordAgainForm",
}
ACCOUNT_PRESERVE_USERNAME_CASING = False
# Where no mail is sent nobody could confirm an address, and a sign-up with a known one must say so.
ACCOUNT_EMAIL_VERIFICATION = "mandatory" if _settings.postal else "none"
ACCOUNT_PREVENT_ENUMERATION = _settings.postal is not None
# To an address without account: its owner learns why nothing comes, and a stranger cannot tell by the time it takes.
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = _settings.postal is not None
# An account has one address. A new one replaces it once it is confirmed, and the old one is told.
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_EMAIL_NOTIFICATIONS = _settings.postal is not None
ACCOUNT_EMAIL_CONFIRMATION_EXPIRE_DAYS = 3
ACCOUNT_REAUTHENTICATION_REQUIRED = True
PASSWORD_RESET_TIMEOUT = 3600
ACCOUNT_SESSION_REMEMBER = True

SOCIALACCOUNT_ADAPTER = "micelio.accounts.other_sites.OtherSitesAdapter"
SOCIALACCOUNT_FORMS = {"signup": "micelio.accounts.sign_in_forms.OtherSiteForm"}
# Who comes from another site chooses a handle here, and confirms an address like anybody.
SOCIALACCOUNT_AUTO_SIGNUP = False
SOCIALACCOUNT_QUERY_EMAIL = False
SOCIALACCOUNT_EMAIL_REQUIRED = True
SOCIALACCOUNT_STORE_TOKENS = False

MFA_ADAPTER = "micelio.accounts.second_factor.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_FORMS = {
    "authenticate": "micelio.accounts.sign_in_forms.CodeForm",
    "reauthenticate": "micelio.accounts.sign_in_forms.CodeAgainForm",
    "activate_totp": "micelio.accounts.sign_in_forms.AppForm",
    "add_webauthn": "micelio.accounts.sign_in_forms.PasskeyForm",
    "authenticate_webauthn": "micelio.accounts.sign_in_forms.PasskeyCodeForm",
    "login_webauthn": "micelio.accounts.sign_in_forms.PasskeySignInForm",
    "reauthenticate_webauthn": "micelio.accounts.sign_in_forms.PasskeyAgainForm",
}
# Without mail no address is ever verified; an account is its handle and password.
MFA_ALLOW_UNVERIFIED_EMAIL = True
# A clock that is one step off is no reason to lock somebody out.
MFA_TOTP_TOLERANCE = 1
# Browsers themselves allow passkeys at localhost only, where there is no https.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not _settings.secure
# Who has confirmed with password, code or passkey is not asked again for so many seconds.
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300

IDP_OIDC_ADAPTER = "micelio.accounts.oidc.OIDCAdapter"
IDP_OIDC_PRIVATE_KEY = _settings.signing_key()
# What leaks is soon worth nothing; `mic` renews by itself, and after a week without it signs in again.
IDP_OIDC_ACCESS_TOKEN_EXPIRES_IN = 15 * 60
IDP_OIDC_REFRESH_TOKEN_EXPIRES_IN = 7 * 24 * 3600
IDP_OIDC_ROTATE_REFRESH_TOKEN = True
IDP_OIDC_DEVICE_CODE_EXPIRES_IN = 600
IDP_OIDC_DEVICE_CODE_INTERVAL = 2
# Guessing is bounded by this and by the code's own size: 20**8 values that live ten minutes.
IDP_OIDC_RATE_LIMITS = {"device_user_code": "30/m/ip"}

# All mail goes through the outbox of `micelio.mail`. What a library would send by itself goes nowhere.
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"

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
