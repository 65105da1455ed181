"""Registers the projects domain with Django."""

from django.apps import AppConfig


class ProjectsConfig(AppConfig):
    name = "micelio.projects"
    label = "projects"
