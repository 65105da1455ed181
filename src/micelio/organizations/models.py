"""Organizations and memberships as rows."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from micelio.organizations.roles import Role


class Organization(models.Model):
    """An owner of projects. Its handle shares one namespace with accounts."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    handle = models.CharField(max_length=39, unique=True)
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    # Members without one are outside until they have it; see `policy.open_to`.
    asks_second_factor = models.BooleanField(default=False)
    # Where members come from, as `micelio.networks` has it, "" for everywhere; and whether tokens made for it pass.
    networks = models.TextField(blank=True, default="")
    networks_let_tokens = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.handle


class Invitation(models.Model):
    """Somebody may join in a role: the account `user`, or whoever has the link that was made for `email`.

    Of a link only the SHA-256 of its token is kept. Open until `closed_at` is set or `expires_at` is past.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="invitations")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="+")
    email = models.EmailField(blank=True, default="")
    token_hash = models.CharField(max_length=64, null=True, unique=True, default=None)
    role = models.CharField(max_length=16, choices=Role.choices)
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(db_index=True)
    closed_at = models.DateTimeField(null=True, default=None)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["organization", "user"],
                condition=models.Q(closed_at=None, user__isnull=False),
                name="one_open_invitation_an_account",
            ),
            models.UniqueConstraint(
                fields=["organization", "email"],
                condition=models.Q(closed_at=None) & ~models.Q(email=""),
                name="one_open_invitation_an_email",
            ),
        )

    def __str__(self) -> str:
        return f"{self.email or self.user_id} to {self.organization_id}"


class Membership(models.Model):
    """One account in one organization."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    role = models.CharField(max_length=16, choices=Role.choices)
    created_at = models.DateTimeField(auto_now_add=True)
    # The member lets everybody see that they belong here.
    shown = models.BooleanField(default=False, db_default=False)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["organization", "user"], name="one_membership_each"),)

    def __str__(self) -> str:
        return f"{self.user_id} in {self.organization_id}"
