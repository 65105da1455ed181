"""Sign-ups whose address nobody confirmed: after a while they are gone, and handle and address are free again."""

from __future__ import annotations

from datetime import datetime, timedelta

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.fields.reverse_related import ForeignObjectRel
from django.utils import timezone

from micelio.accounts.models import HandleClaim, User
from micelio.accounts.policy import OPERATOR
from micelio.audit.actions import record
from micelio.config import current

# Of one run; the next comes a day later.
_AT_ONCE = 10_000
# What a sign-up itself makes. An account that has anything else was used by somebody, however they came.
_OWN = (EmailAddress, SocialAccount)


def remove_unconfirmed() -> int:
    """Remove accounts that people made longer ago than the setting says and could never sign in to. How many.

    Those of the operator stay, and those that wait for an administrator or were suspended.
    """
    days = current().unconfirmed_days
    if current().postal is None or days == 0:
        return 0
    removed, before = 0, timezone.now() - timedelta(days=days)
    for pk in list(_unconfirmed(before).values_list("pk", flat=True)[:_AT_ONCE]):
        with transaction.atomic():
            # Again, with the row held: its owner may confirm in this moment.
            user = _unconfirmed(before).select_for_update().filter(pk=pk).first()
            if user is not None and not _used(user):
                record(OPERATOR, "account.unconfirmed", "account", user.id, user.handle)
                user.delete()
                HandleClaim.objects.filter(handle=user.handle).delete()
                removed += 1
    return removed


def _unconfirmed(before: datetime) -> QuerySet[User]:
    confirmed = EmailAddress.objects.filter(verified=True).values("user")
    asked = EmailAddress.objects.filter(verified=False).values("user")
    rows = User.objects.filter(created_at__lt=before, last_login=None, waiting=False, suspended_at=None, is_admin=False)
    return rows.filter(pk__in=asked).exclude(pk__in=confirmed).order_by("created_at")


def _used(user: User) -> bool:
    """Whether it was made by the operator, or has anything that a sign-up alone does not make."""
    by_themselves = user.has_usable_password() or SocialAccount.objects.filter(user=user).exists()
    if not by_themselves:
        return True
    relations = [field for field in User._meta.get_fields(include_hidden=True) if isinstance(field, ForeignObjectRel)]
    return any(
        relation.related_model._base_manager.filter(**{relation.field.name: user}).exists()
        for relation in relations
        if relation.related_model not in _OWN
    )
