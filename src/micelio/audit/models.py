"""The audit log as rows."""

from __future__ import annotations

from typing import Any, NoReturn

from django.db import models


class AuditQuerySet(models.QuerySet["AuditEvent"]):
    """Reads and adds; refuses to change or remove."""

    def update(self, **kwargs: Any) -> NoReturn:
        raise TypeError("The audit log only grows: an event cannot be changed.")

    def delete(self) -> NoReturn:
        raise TypeError("The audit log only grows: an event cannot be removed.")


class AuditEvent(models.Model):
    """One act. Names are kept as they were: a later rename changes no history."""

    at = models.DateTimeField(auto_now_add=True)
    actor_id = models.UUIDField(null=True)
    actor_handle = models.CharField(max_length=64, blank=True)
    via = models.CharField(max_length=32)
    action = models.CharField(max_length=64)
    object_type = models.CharField(max_length=32)
    object_id = models.CharField(max_length=64)
    object_name = models.CharField(max_length=200, blank=True)
    details = models.JSONField(default=dict)

    objects = AuditQuerySet.as_manager()

    class Meta:
        indexes = (
            models.Index(fields=["object_type", "object_id", "id"], name="audit_by_object"),
            models.Index(fields=["actor_id", "id"], name="audit_by_actor"),
        )

    def __str__(self) -> str:
        return f"{self.actor_handle} {self.action} {self.object_name}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("The audit log only grows: an event cannot be changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("The audit log only grows: an event cannot be removed.")
