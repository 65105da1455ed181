"""The audit log as rows."""

from __future__ import annotations

from typing import Any, NoReturn

from django.db import models


class GrowingQuerySet(models.QuerySet[Any]):
    """Reads and adds; refuses to change or remove."""

    def update(self, **kwargs: Any) -> NoReturn:
        raise TypeError("The audit log only grows: an event cannot be changed.")

    def delete(self) -> NoReturn:
        raise TypeError("The audit log only grows: an event cannot be removed.")


class Growing(models.Model):
    """A row that is added and never changed."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("The audit log only grows: an event cannot be changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("The audit log only grows: an event cannot be removed.")


class AuditEvent(Growing):
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
    address = models.CharField(max_length=45, blank=True, default="")
    token = models.CharField(max_length=64, blank=True, default="")  # the public name of the token it came with
    project_id = models.UUIDField(null=True)
    organization_id = models.UUIDField(null=True)

    objects = GrowingQuerySet.as_manager()

    class Meta:
        indexes = (
            models.Index(fields=["object_type", "object_id", "id"], name="audit_by_object"),
            models.Index(fields=["actor_id", "id"], name="audit_by_actor"),
            models.Index(fields=["project_id", "id"], name="audit_by_project"),
            models.Index(fields=["organization_id", "id"], name="audit_by_organization"),
            models.Index(fields=["action", "id"], name="audit_by_action"),
            models.Index(fields=["at"], name="audit_by_time"),
        )

    def __str__(self) -> str:
        return f"{self.actor_handle} {self.action} {self.object_name}"


class AuditSeal(Growing):
    """The hash chain after event `last`: `digest` covers the `count` events behind the seal before it, see `chain`."""

    at = models.DateTimeField(auto_now_add=True)
    first = models.BigIntegerField()
    last = models.BigIntegerField(unique=True)
    count = models.BigIntegerField()
    previous = models.CharField(max_length=64)
    digest = models.CharField(max_length=64)

    objects = GrowingQuerySet.as_manager()

    def __str__(self) -> str:
        return f"events {self.first} to {self.last}"


class Once(models.Model):
    """That something was recorded and need not be again before `forget_at`; `key` is a SHA-256 in hexadecimal."""

    key = models.CharField(primary_key=True, max_length=64)
    forget_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.key
