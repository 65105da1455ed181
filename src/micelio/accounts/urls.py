"""Addresses of sign-in, account and the OAuth endpoints. All forge pages live under `/-/`."""

from __future__ import annotations

from allauth.account import views as allauth_views
from allauth.idp.oidc import views as oidc
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from allauth.socialaccount import views as social_views
from django.urls import include, path, re_path

from micelio.accounts import (
    account_views,
    admin_views,
    anew_views,
    arrival_views,
    other_site_views,
    passkey_script,
    views,
)
from micelio.accounts.confirmation import needs_confirmation
from micelio.accounts.oauth_errors import readable
from micelio.accounts.policy import may_sign_up

_sign_in = allauth_views.LoginView.as_view(extra_context={"may_sign_up": may_sign_up})

# The library asks whoever has a password or a factor by itself, and nobody else.
_asked = needs_confirmation(keep=False, reading=True)

_reset_done = allauth_views.password_reset_from_key_done

_oauth = (
    [
        path(".well-known/openid-configuration", oidc.configuration, name="configuration"),
        path("-/oauth/jwks.json", oidc.jwks, name="jwks"),
        path("-/oauth/authorize", readable(oidc.authorization), name="authorization"),
        path("-/oauth/logout", readable(oidc.logout), name="logout"),
        path("-/oauth/token", readable(views.token), name="token"),
        path("-/oauth/revoke", readable(views.revoke), name="revoke"),
        path("-/oauth/userinfo", readable(oidc.user_info), name="userinfo"),
        path("-/oauth/device/code", readable(views.device_code), name="device_code"),
        path("-/device", readable(views.device), name="device_authorization"),
    ],
    "oidc",
)

_second_factor = [
    path("", mfa.index, name="mfa_index"),
    path("/code", mfa.authenticate, name="mfa_authenticate"),
    path("/again", mfa.reauthenticate, name="mfa_reauthenticate"),
    path("/app", _asked(totp.activate_totp), name="mfa_activate_totp"),
    path("/app/stop", totp.deactivate_totp, name="mfa_deactivate_totp"),
    path("/recovery", recovery_codes.view_recovery_codes, name="mfa_view_recovery_codes"),
    path("/recovery/new", recovery_codes.generate_recovery_codes, name="mfa_generate_recovery_codes"),
    path("/recovery/codes.txt", recovery_codes.download_recovery_codes, name="mfa_download_recovery_codes"),
    path("/keys", mfa.index, name="mfa_list_webauthn"),
    path("/keys/add", _asked(webauthn.add_webauthn), name="mfa_add_webauthn"),
    path("/keys/again", webauthn.reauthenticate_webauthn, name="mfa_reauthenticate_webauthn"),
    path("/keys/<int:pk>/remove", webauthn.remove_webauthn, name="mfa_remove_webauthn"),
    path("/keys/<int:pk>/name", webauthn.edit_webauthn, name="mfa_edit_webauthn"),
]

urlpatterns = [
    path("-/passkeys-<str:digest>.js", passkey_script.serve, name="passkey-script"),
    path("-/account/second-factor", include(_second_factor)),
    path("-/sign-in/with-passkey", views.passkey, name="passkey-sign-in"),
    path("-/sign-in/passkey", webauthn.login_webauthn, name="mfa_login_webauthn"),
    path(".well-known/micelio.json", views.discovery, name="discovery"),
    path("-/sign-in", _sign_in, name="account_login"),
    path("-/sign-in/once/<str:token>", arrival_views.once, name="once"),
    path("-/sign-in/link", arrival_views.ask_link, name="ask-link"),
    path("-/sign-in/link/asked", arrival_views.link_asked, name="link-asked"),
    path("-/sign-up", allauth_views.signup, name="account_signup"),
    path("-/sign-up/waiting", arrival_views.waiting, name="account_waiting"),
    path("-/sign-up/confirm", allauth_views.email_verification_sent, name="account_email_verification_sent"),
    path("-/invited/<str:token>", arrival_views.invited, name="invited"),
    path("-/e-mail/confirm/<str:key>", arrival_views.confirm_address, name="account_confirm_email"),
    path("-/reset-password", allauth_views.password_reset, name="account_reset_password"),
    path("-/reset-password/asked", allauth_views.password_reset_done, name="account_reset_password_done"),
    path("-/reset-password/done", _reset_done, name="account_reset_password_from_key_done"),
    re_path(
        r"^-/reset-password/link/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)$",
        allauth_views.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path("-/sign-out", views.sign_out, name="account_logout"),
    path("-/sign-in/inactive", allauth_views.account_inactive, name="account_inactive"),
    path("-/sign-in/again", allauth_views.reauthenticate, name="account_reauthenticate"),
    path("-/sign-in/again/anew", anew_views.sign_in_anew, name="sign-in-anew"),
    path("-/account", account_views.account, name="account"),
    path("-/account/handle", account_views.own_handle, name="account-handle"),
    path("-/account/password", account_views.password, name="password"),
    path("-/account/e-mail", account_views.address, name="address"),
    path("-/account/browsers", account_views.signed_in_browsers, name="browsers"),
    path("-/sign-in/with/github", other_site_views.github, name="github_login"),
    path("-/sign-in/with/github/back", other_site_views.github_back, name="github_callback"),
    path("-/sign-in/with/gitlab", other_site_views.gitlab, name="gitlab_login"),
    path("-/sign-in/with/gitlab/back", other_site_views.gitlab_back, name="gitlab_callback"),
    path("-/sign-in/with/cancelled", social_views.login_cancelled, name="socialaccount_login_cancelled"),
    path("-/sign-up/with", social_views.signup, name="socialaccount_signup"),
    path("-/account/other-sites", needs_confirmation(other_site_views.connections), name="socialaccount_connections"),
    path("-/admin/sign-ups", admin_views.sign_ups, name="admin-sign-ups"),
    path("-/admin/suspended", admin_views.suspended, name="admin-suspended"),
    path("-/admin/mail", admin_views.mail, name="admin-mail"),
    path("", include(([path("", include(_oauth, namespace="oidc"))], "idp"), namespace="idp")),
]
