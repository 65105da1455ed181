"""Registers the archives domain with Django."""

from django.apps import AppConfig


class ArchivesConfig(AppConfig):
    name = "micelio.archives"
    label = "archives"
