"""Addresses of the token page."""

from __future__ import annotations

from django.urls import path

from micelio.tokens import views

urlpatterns = [
    path("-/account/tokens", views.tokens, name="tokens"),
    path("-/account/tokens/<uuid:token_id>/revoke", views.revoke, name="token-revoke"),
]
