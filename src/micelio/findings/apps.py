"""Registers the findings domain with Django."""

from django.apps import AppConfig


class FindingsConfig(AppConfig):
    name = "micelio.findings"
    label = "findings"
