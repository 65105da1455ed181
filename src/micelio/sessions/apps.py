"""Registers the sessions domain with Django."""

from django.apps import AppConfig


class SessionsConfig(AppConfig):
    name = "micelio.sessions"
    # Django's own session app has the label `sessions`.
    label = "landings"
