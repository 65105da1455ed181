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
    # False shuts every door. It says why: an account that waits for approval, was suspended, or was closed.
    is_active = models.BooleanField(default=True)
    waiting = models.BooleanField(default=False)
    suspended_at = models.DateTimeField(null=True)
    suspended_for = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    # The code of the one that they chose, "" as long as they chose none.
    language = models.CharField(max_length=16, blank=True, default="")

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
    """A handle that is taken, by a person or an organization: the primary key makes the namespace one.

    It stays taken when its holder has another one by now, or is gone. `holder` is null until then.
    """

    handle = models.CharField(primary_key=True, max_length=MAX_LENGTH)
    kind = models.CharField(max_length=16)
    claimed_at = models.DateTimeField(auto_now_add=True)
    holder = models.UUIDField(null=True, blank=True, default=None, db_index=True)

    def __str__(self) -> str:
        return self.handle


class SignInLink(models.Model):
    """A link that signs one account in, once. Only the SHA-256 of its token is kept.

    `mailed_to` is the address that a link was sent to which its owner asked for, "" for a link of the operator's.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE)
    mailed_to = models.EmailField(blank=True, default="")
    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"link for {self.user_id}"


class FamilyToken(models.Model):
    """A token that the OAuth provider has handed out, and which sign-in it goes back to; kept beyond its use.

    `token_hash` is its SHA-256 as the provider keeps it. `spent_at` is set in a refresh token that was exchanged.
    """

    token_hash = models.CharField(primary_key=True, max_length=64)
    family = models.UUIDField(db_index=True)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    spent_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"token of {self.family}"


class Invitation(models.Model):
    """A link that lets one person make an account. Only the SHA-256 of its token is kept.

    It is over when `closed_at` is set: `used_by` has taken it, or it was withdrawn.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    token_hash = models.CharField(max_length=64, unique=True)
    note = models.CharField(max_length=200, blank=True)
    made_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    used_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"invitation {self.id}"


class Profile(models.Model):
    """What a person or an organization says of itself; `holder` is the id of either. No row: nothing was ever said."""

    holder = models.UUIDField(primary_key=True, editable=False)
    bio = models.CharField(max_length=160, blank=True, default="")
    website = models.CharField(max_length=400, blank=True, default="")
    # Addresses as `links` writes them.
    links = models.JSONField(default=list)
    # What the uploaded picture is called, "" without one.
    picture = models.CharField(max_length=32, blank=True, default="")

    def __str__(self) -> str:
        return f"profile of {self.holder}"


class Picture(models.Model):
    """An uploaded picture, made anew by us; apart from the profile, which is read far more often."""

    holder = models.UUIDField(primary_key=True, editable=False)
    digest = models.CharField(max_length=32, db_index=True)
    data = models.BinaryField()

    def __str__(self) -> str:
        return f"picture {self.digest}"
