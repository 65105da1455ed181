"""Queries that are compiled once: the same rows as the ORM's own, whatever the values and the thread."""

from __future__ import annotations

import threading
import uuid
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.db.models import Q, QuerySet

from micelio.accounts import actions as accounts
from micelio.accounts.models import SignInLink, User
from micelio.accounts.policy import OPERATOR
from micelio.prepared import Prepared

pytestmark = pytest.mark.django_db


def _by_handle(handle: str) -> QuerySet[Any, Any]:
    return User.objects.filter(handle=handle, is_active=True).values_list("id", "created_at", "is_admin", "name")


def test_values_are_those_of_the_orm() -> None:
    """Ids, times and booleans as Python knows them, for one value after the other."""
    query = Prepared(_by_handle, str)
    for name in ("ada", "bob"):
        user = accounts.create_user(OPERATOR, name)
        assert query(name) == [(user.id, user.created_at, False, "")]
    User.objects.filter(handle="bob").update(is_active=False)
    assert query("bob") == []
    assert query("' OR 1=1 --") == []


def test_a_value_may_stand_in_several_places() -> None:
    """Each of them gets the same value; a constant between them stays."""

    def query(user: UUID, now: datetime) -> QuerySet[Any, Any]:
        late = Q(closed_at__isnull=True) | Q(closed_at__gt=now)
        return SignInLink.objects.filter(late, user_id=user, expires_at__gt=now, token_hash="t").values_list("user_id")

    user = accounts.create_user(OPERATOR, "ada")
    times = {day: datetime(2026, 1, day, tzinfo=UTC) for day in (1, 5, 9)}
    SignInLink.objects.create(user=user, token_hash="t", expires_at=times[5])
    prepared = Prepared(query, UUID, datetime)
    assert prepared(user.id, times[1]) == [(user.id,)]
    assert prepared(user.id, times[9]) == []
    assert prepared(uuid.uuid4(), times[1]) == []


def test_an_argument_that_is_changed_on_the_way_is_refused() -> None:
    """A prefix search adds a sign to the value, so other values could not take its place."""

    def query(start: str) -> QuerySet[Any, Any]:
        return User.objects.filter(handle__startswith=start).values_list("handle")

    with pytest.raises(AssertionError, match="does not reach the SQL"):
        Prepared(query, str)("a")


@pytest.mark.django_db(transaction=True)
def test_every_thread_has_a_connection_of_its_own() -> None:
    """And closing one's connection does no harm: the next look opens it again."""
    accounts.create_user(OPERATOR, "ada")
    query = Prepared(_by_handle, str)
    seen: list[int] = []

    def look() -> None:
        for _ in range(2):
            seen.append(len(query("ada")))
            connection.close()

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [1] * 8
