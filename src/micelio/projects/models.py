"""Projects as rows. Their history is not here: see `ledgers`."""

from __future__ import annotations

import uuid

from django.db import models


class Visibility(models.TextChoices):
    """Who may read: everybody, or the members of the owner."""

    PUBLIC = "public"
    PRIVATE = "private"


class Project(models.Model):
    """A project of an organization."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey("organizations.Organization", on_delete=models.PROTECT, related_name="+")
    handle = models.CharField(max_length=100)
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    visibility = models.CharField(max_length=16, choices=Visibility.choices)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["owner", "handle"], name="one_project_per_handle"),)

    def __str__(self) -> str:
        return self.handle
