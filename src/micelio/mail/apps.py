"""Registers the mail room with Django."""

from django.apps import AppConfig


class MailConfig(AppConfig):
    name = "micelio.mail"
    label = "mail"
