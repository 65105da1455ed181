"""Registers the REST door with Django: it keeps answers for a day."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "micelio.api"
    label = "api"
