"""Which pages are translated, by the names of their addresses. All others are English from first word to last."""

from __future__ import annotations

TRANSLATED = frozenset(
    {
        "home", "explore", "search", "person", "organization", "stars", "language",
        "project", "tree-root", "tree", "file", "blame", "history", "branches", "contributors", "badges",
        "landings", "landing", "landing-change", "sessions", "session", "session-change",
        "compare-form", "compare", "compare-change",
        "tags", "forks", "owners", "secrets-report", "invitation", "docs", "docs-page", "changelog", "blog", "post",
        "account_login", "passkey-sign-in", "mfa_login_webauthn", "once", "ask-link", "link-asked",
        "account_signup", "account_waiting", "account_email_verification_sent", "account_confirm_email", "invited",
        "account_reset_password", "account_reset_password_done", "account_reset_password_from_key",
        "account_reset_password_from_key_done", "account_inactive", "account_reauthenticate", "sign-in-anew",
        "mfa_authenticate", "mfa_reauthenticate", "mfa_reauthenticate_webauthn",
        "github_login", "github_callback", "gitlab_login", "gitlab_callback", "socialaccount_login_cancelled",
        "socialaccount_signup", "idp:oidc:authorization", "idp:oidc:device_authorization", "idp:oidc:logout",
    }
)  # fmt: skip
