"""Registers discovery with Django."""

from __future__ import annotations

from django.apps import AppConfig


class DiscoveryConfig(AppConfig):
    name = "micelio.discovery"
    label = "discovery"
