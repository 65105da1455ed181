"""Registers the jobs domain with Django."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "micelio.jobs"
    label = "jobs"
