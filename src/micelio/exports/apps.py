"""Registers the exports domain with Django."""

from django.apps import AppConfig


class ExportsConfig(AppConfig):
    name = "micelio.exports"
    label = "exports"
