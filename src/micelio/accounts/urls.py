"""Addresses of sign-in, account and the OAuth endpoints. All forge pages live under `/-/`."""

from __future__ import annotations

from allauth.account import views as allauth_views
from allauth.idp.oidc import views as oidc
from django.urls import include, path

from micelio.accounts import views
from micelio.accounts.policy import may_sign_up

_sign_in = allauth_views.LoginView.as_view(extra_context={"may_sign_up": may_sign_up})

_oauth = (
    [
        path(".well-known/openid-configuration", oidc.configuration, name="configuration"),
        path("-/oauth/jwks.json", oidc.jwks, name="jwks"),
        path("-/oauth/authorize", oidc.authorization, name="authorization"),
        path("-/oauth/logout", oidc.logout, name="logout"),
        path("-/oauth/token", oidc.token, name="token"),
        path("-/oauth/revoke", views.revoke, name="revoke"),
        path("-/oauth/userinfo", oidc.user_info, name="userinfo"),
        path("-/oauth/device/code", oidc.device_code, name="device_code"),
        path("-/device", views.device, name="device_authorization"),
    ],
    "oidc",
)

urlpatterns = [
    path(".well-known/micelio.json", views.discovery, name="discovery"),
    path("-/sign-in", _sign_in, name="account_login"),
    path("-/sign-in/once/<str:token>", views.once, name="once"),
    path("-/sign-up", allauth_views.signup, name="account_signup"),
    path("-/sign-out", views.sign_out, name="account_logout"),
    path("-/sign-in/inactive", allauth_views.account_inactive, name="account_inactive"),
    path("-/sign-in/again", allauth_views.reauthenticate, name="account_reauthenticate"),
    path("-/account", views.account, name="account"),
    path("", include(([path("", include(_oauth, namespace="oidc"))], "idp"), namespace="idp")),
]
