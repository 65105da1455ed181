"""Locks that every forge of one PostgreSQL sees. They are the server's own: whoever dies has let go of them.

Over SQLite they do nothing: a transaction that writes is alone there from its first statement on.
"""

from __future__ import annotations

import hashlib

from django.db import connection


def number(name: str) -> int:
    """The 64 bits that PostgreSQL knows a lock by: the first of SHA-256 over `micelio ` and its name."""
    return int.from_bytes(hashlib.sha256(f"micelio {name}".encode()).digest()[:8], "big", signed=True)


def alone(name: str) -> None:
    """Wait until no other transaction has the lock, and have it until this one ends. Must run inside a transaction."""
    assert connection.in_atomic_block, "a lock without a transaction would be gone at once"
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number(name)])


def is_free(name: str) -> bool:
    """Whether nobody has the lock at this moment. Must run inside a transaction, which has it from then on."""
    assert connection.in_atomic_block, "a lock without a transaction would be gone at once"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [number(name)])
        return bool(cursor.fetchone()[0])
