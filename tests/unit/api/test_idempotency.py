"""Kept answers: how many an account has, and for how long."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from django.utils import timezone

from mic.core.errors import TooLarge
from micelio.accounts.actions import create_user
from micelio.accounts.actor import actor_of
from micelio.accounts.policy import OPERATOR
from micelio.api import idempotency
from micelio.api.models import KeptAnswer
from micelio.api.request import ApiRequest

pytestmark = pytest.mark.django_db


def _request(key: str, user: Any) -> ApiRequest:
    request = RequestFactory().post("/api/v1/x", b"{}", "application/json", headers={"Idempotency-Key": key})
    made = cast(ApiRequest, request)
    made.actor = actor_of(user, "token")
    return made


def test_an_account_has_so_many_keys_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """One more is refused before anything is done; those it has still answer, and another account has its own."""
    monkeypatch.setattr(idempotency, "MOST_KEYS", 2)
    ada, bob = (create_user(OPERATOR, name) for name in ("ada", "bob"))
    done: list[str] = []

    def carry_out() -> HttpResponse:
        done.append("done")
        return HttpResponse("{}", status=201)

    for key in ("one", "two", "one"):
        assert idempotency.once(_request(key, ada), carry_out).status_code == 201
    with pytest.raises(TooLarge):
        idempotency.once(_request("three", ada), carry_out)
    assert len(done) == 2
    assert idempotency.once(_request("three", bob), carry_out).status_code == 201


def test_a_key_holds_for_a_day() -> None:
    """Then it is a new one, and the job forgets it."""
    ada = create_user(OPERATOR, "ada")
    idempotency.once(_request("key", ada), lambda: HttpResponse("first", status=201))
    answer = idempotency.once(_request("key", ada), lambda: HttpResponse("again", status=201))
    assert cast(HttpResponse, answer).content == b"first"
    KeptAnswer.objects.update(created_at=timezone.now() - timedelta(hours=24, seconds=1))
    answer = idempotency.once(_request("key", ada), lambda: HttpResponse("second", status=201))
    assert cast(HttpResponse, answer).content == b"second"
    assert idempotency.purge_expired() == 0
    KeptAnswer.objects.update(created_at=timezone.now() - timedelta(hours=25))
    assert idempotency.purge_expired() == 1
