"""How passwords are hashed: Argon2id (RFC 9106), and only so many at once.

Django's own choice takes 100 MiB and eight threads for each hash: a thousand at one moment would want a hundred
gigabytes. These are the numbers that OWASP advises, 19 MiB and one thread. What was hashed with other ones still opens,
and is hashed anew at the next sign-in.
"""

from __future__ import annotations

import os
import threading

from django.contrib.auth.hashers import Argon2PasswordHasher

# Hashing is work for a processor: more at once than there are only take memory. 19 MiB each.
AT_ONCE = max(1, os.cpu_count() or 1)
_turns = threading.BoundedSemaphore(AT_ONCE)


class BoundedArgon2(Argon2PasswordHasher):
    """Argon2id with m=19456 KiB, t=2, p=1 (OWASP Password Storage Cheat Sheet), in turns."""

    time_cost = 2
    memory_cost = 19_456
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        """Wait for a turn, then hash."""
        with _turns:
            return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        """Wait for a turn, then compare."""
        with _turns:
            return super().verify(password, encoded)
