"""Blocks, legal texts and erasures as rows."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

REASON_LENGTH = 500


class Block(models.Model):
    """Nothing is taken from a network, or from an account, until `ends_at` (null: until it is lifted).

    Exactly one of `network` and `user` is set. `everybody` is false for what the forge did by itself to an address:
    then whoever is signed in there goes on.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    network = models.CharField(max_length=43, blank=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="+")
    reason = models.CharField(max_length=REASON_LENGTH)
    everybody = models.BooleanField(default=True)
    made_by = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (models.Index(fields=["lifted_at", "ends_at"], name="blocks_in_force"),)

    def __str__(self) -> str:
        return self.network or str(self.user_id)


class LegalText(models.Model):
    """One version of the legal page, in Markdown. The newest counts; none is changed or removed."""

    text = models.TextField()
    made_by = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"version {self.pk}"


class Purge(models.Model):
    """An erasure that somebody asked for. The tombstone is in the store; who confirmed it and why is here.

    `content` is a SHA-256 in hexadecimal. `keys` are the objects that were written over, which other processes let go
    of.
    """

    class State(models.TextChoices):
        """WAITING for a second administrator. RUNNING until no byte is left."""

        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"
        WITHDRAWN = "withdrawn"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project_id = models.UUIDField()
    project_name = models.CharField(max_length=200)
    content = models.CharField(max_length=64)
    reason = models.CharField(max_length=16)
    note = models.CharField(max_length=REASON_LENGTH)
    with_forks = models.BooleanField(default=False)
    asked_by = models.CharField(max_length=64)
    asked_by_id = models.UUIDField(null=True)
    asked_at = models.DateTimeField()
    confirmed_by = models.CharField(max_length=64, blank=True)
    state = models.CharField(max_length=16, choices=State.choices)
    ended_at = models.DateTimeField(null=True)
    keys = models.JSONField(default=list)

    class Meta:
        indexes = (
            models.Index(fields=["state", "asked_at"], name="purges_by_state"),
            models.Index(fields=["ended_at"], name="purges_by_end"),
        )

    def __str__(self) -> str:
        return f"{self.content[:12]} of {self.project_name}"
