"""Registers the audit domain with Django."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "micelio.audit"
    label = "audit"
