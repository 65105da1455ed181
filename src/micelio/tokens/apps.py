"""Registers the tokens domain with Django."""

from django.apps import AppConfig


class TokensConfig(AppConfig):
    name = "micelio.tokens"
    label = "tokens"

    def ready(self) -> None:
        """Tokens end with the sign-ins of their account."""
        from micelio.tokens import ends  # noqa: F401 - connects itself
