"""Registers the imports domain with Django."""

from django.apps import AppConfig


class ImportsConfig(AppConfig):
    name = "micelio.imports"
    label = "imports"
