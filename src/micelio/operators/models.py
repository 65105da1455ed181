"""Blocks, legal texts and erasures as rows."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

REASON_LENGTH = 500
# Characters that have to be typed to erase.
TYPED = 12


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

    Of a `content`, its SHA-256 in hexadecimal; of the words of a `session`, its id; of a person, account and handle:
    these have no project. `plan` is what was found when it began, and afterwards only in which projects. `keys` are the
    objects that were written over, which other processes let go of.
    """

    class Kind(models.TextChoices):
        """What goes."""

        CONTENT = "content"
        WORDS = "words"
        PERSON = "person"

    class State(models.TextChoices):
        """WAITING for a second administrator. RUNNING until no byte is left."""

        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"
        WITHDRAWN = "withdrawn"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=16, choices=Kind.choices, default=Kind.CONTENT, db_default=Kind.CONTENT)
    project_id = models.UUIDField(null=True)
    project_name = models.CharField(max_length=200, blank=True)
    content = models.CharField(max_length=64, blank=True)
    session = models.CharField(max_length=26, blank=True, default="", db_default="")
    account_id = models.UUIDField(null=True)
    handle = models.CharField(max_length=64, blank=True, default="", db_default="")
    plan = models.JSONField(default=dict)
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
        return f"{self.typed or self.account_id} of {self.project_name}"

    @property
    def typed(self) -> str:
        """What has to be typed to erase: the beginning of a SHA-256, the end of a session's id, or a handle."""
        if self.kind == self.Kind.CONTENT:
            return self.content[:TYPED]
        return self.session[-TYPED:] if self.kind == self.Kind.WORDS else self.handle
