"""Registers the accounts domain with Django."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "micelio.accounts"
    label = "accounts"

    def ready(self) -> None:
        """Sign-ins and second factors are recorded wherever they happen."""
        from micelio.accounts import other_sites, second_factor, sign_in_events

        sign_in_events.listen()
        second_factor.listen()
        other_sites.listen()
