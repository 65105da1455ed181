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
    # Null for what is no fork, and for a fork whose origin is gone; the position tells the two apart.
    forked_from = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="forks")
    fork_position = models.PositiveBigIntegerField(null=True)
    # What an edge network knows the project by, only while it is public; see `cdn`.
    cdn_key = models.CharField(max_length=32, null=True, blank=True, unique=True, default=None, editable=False)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["owner", "handle"], name="one_project_per_handle"),)

    def __str__(self) -> str:
        return self.handle


class Confinement(models.Model):
    """A fork holds what was private in `source`: its readers must belong to the organization that owned that.

    It stays when the source is deleted, and goes when the source becomes public.
    """

    id = models.BigAutoField(primary_key=True)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="confinements")
    source = models.UUIDField()
    organization = models.ForeignKey("organizations.Organization", on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = (models.UniqueConstraint(fields=["project", "source"], name="confined_once_a_source"),)
        indexes = (models.Index(fields=["source"], name="confinement_by_source"),)

    def __str__(self) -> str:
        return f"{self.project_id} within {self.organization_id}"
