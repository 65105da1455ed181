"""Letters as rows."""

from __future__ import annotations

import uuid

from django.db import models


class State(models.TextChoices):
    """What became of a letter."""

    WAITING = "waiting"
    SENT = "sent"
    REFUSED = "refused"  # by the mail server, for good
    HANDED_OVER = "handed over"  # by an administrator
    EXPIRED = "expired"


class Letter(models.Model):
    """One letter to one address. `sealed` is its contents, encrypted, "" once nobody needs them any more."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    to = models.EmailField(max_length=254)
    subject = models.CharField(max_length=200)
    sealed = models.TextField()
    state = models.CharField(max_length=12, choices=State.choices, default=State.WAITING)
    attempts = models.IntegerField(default=0)
    trouble = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (models.Index(fields=("state", "created_at"), name="letters_by_state"),)

    def __str__(self) -> str:
        return f"{self.subject} to {self.to}"
