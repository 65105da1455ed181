"""Tokens as rows."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

NAME_LENGTH = 100


class AccessToken(models.Model):
    """A token of an account. The token itself is nowhere; `token_hash` is its SHA-256 in hexadecimal.

    A plain hash is enough: a token holds 256 random bits, so there is nothing to guess that a slow hash would slow.
    Projects are kept by id, not by name: what is renamed is still covered, what takes over a name is not. `session_id`
    is set for an agent's token. A revoked token has no row.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=NAME_LENGTH)
    token_hash = models.CharField(max_length=64, unique=True)
    scopes = models.CharField(max_length=200)
    all_projects = models.BooleanField()
    project_ids = models.JSONField(default=list)
    session_id = models.BinaryField(max_length=16, null=True)
    mixes = models.BooleanField(default=False)
    anywhere = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    last_used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.name} of {self.user_id}"
