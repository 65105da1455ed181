"""The bounds of this door, in one place."""

from __future__ import annotations

from datetime import timedelta

# Of one page of a list. Beyond it a page of the largest rows passes a megabyte.
LONGEST_LIST = 100
# A cursor holds at most a path of a tree, which has 16 KiB, percent-encoded and signed.
LONGEST_CURSOR = 64 << 10
# Django refuses more before anybody parses it (DATA_UPLOAD_MAX_MEMORY_SIZE).
LARGEST_BODY = 1 << 20
# How deep arrays and objects may lie in each other. The deepest body that means anything has five.
DEEPEST_BODY = 32

# Idempotency keys: how long one holds, how long it may be, how many one account may have at a time, and the largest
# answer that is kept. The largest of ours, a project with a description of 2,000 characters, has 9 KiB.
KEY_HOLDS = timedelta(hours=24)
LONGEST_KEY = 200
MOST_KEYS = 5_000
LARGEST_KEPT = 64 << 10
