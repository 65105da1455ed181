"""Accounts as rows."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower

from micelio.accounts.handles import MAX_LENGTH


class UserManager(BaseUserManager["User"]):
    """Looks accounts up by handle."""

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(handle=(username or "").lower())


class User(AbstractBaseUser):
    """A person or an agent that signs in. `password` may be unusable: then only a one-time link or a token opens it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    handle = models.CharField(max_length=MAX_LENGTH, unique=True)
    name = models.CharField(max_length=200, blank=True)
    email = models.EmailField(blank=True)
    is_admin = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = UserManager()

    USERNAME_FIELD = "handle"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = (
            models.UniqueConstraint(Lower("email"), condition=~models.Q(email=""), name="one_account_per_email"),
        )

    def __str__(self) -> str:
        return self.handle

    def get_full_name(self) -> str:
        """The name to show: the given one, else the handle."""
        return self.name or self.handle


class HandleClaim(models.Model):
    """A handle that is taken, by a person or an organization: the primary key makes the namespace one."""

    handle = models.CharField(primary_key=True, max_length=MAX_LENGTH)
    kind = models.CharField(max_length=16)
    claimed_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.handle


class SignInLink(models.Model):
    """A link that signs one account in, once. Only the SHA-256 of its token is kept."""

    user = models.ForeignKey(User, on_delete=models.CASCADE)
    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"link for {self.user_id}"
