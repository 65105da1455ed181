"""Registers the organizations domain with Django."""

from django.apps import AppConfig


class OrganizationsConfig(AppConfig):
    name = "micelio.organizations"
    label = "organizations"
