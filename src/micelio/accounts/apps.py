"""Registers the accounts domain with Django."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "micelio.accounts"
    label = "accounts"
