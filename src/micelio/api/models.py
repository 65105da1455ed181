"""Answers that are kept for whoever asks the same again, as rows."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class KeptAnswer(models.Model):
    """What a request with an idempotency key was answered; `status` 0 while it is being carried out.

    `name` is SHA-256 of the token in use and the key, `request` of all that was asked. The body is encrypted: it may
    hold a token that was just made.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=64)
    request = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(default=0)
    headers = models.JSONField(default=dict)
    body = models.TextField(blank=True)
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["user", "name"], name="one_answer_for_each_key"),)

    def __str__(self) -> str:
        return f"{self.name[:8]} of {self.user_id}"
