"""Passwords are hashed with little memory, and only so many at once."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import argon2
import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher, check_password, make_password

from micelio.accounts import hashing


def test_the_numbers_are_those_that_owasp_advises() -> None:
    """19 MiB, two passes, one thread, as an independent library reads them."""
    algorithm, _, hashed = make_password("a quiet long phrase").partition("$")
    assert algorithm == "argon2"
    told = argon2.extract_parameters("$" + hashed)
    assert (told.type, told.memory_cost, told.time_cost, told.parallelism) == (argon2.Type.ID, 19_456, 2, 1)
    assert argon2.PasswordHasher().verify("$" + hashed, "a quiet long phrase")


def test_what_was_hashed_otherwise_opens_and_is_hashed_anew() -> None:
    """A hash of an earlier version is still good, once."""
    older = Argon2PasswordHasher().encode("a quiet long phrase", "x" * 22)
    anew: list[str] = []
    assert check_password("a quiet long phrase", older, setter=anew.append)
    assert anew == ["a quiet long phrase"]
    assert not check_password("another", older, setter=anew.append)


def test_only_so_many_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many ask, no more hash than there are processors."""
    lock, now, most = threading.Lock(), 0, 0

    def slow(self: object, password: str, salt: str) -> str:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.02)
        with lock:
            now -= 1
        return "argon2$"

    monkeypatch.setattr(Argon2PasswordHasher, "encode", slow)
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _: hashing.BoundedArgon2().encode("x", "y"), range(32)))
    assert most == hashing.AT_ONCE
