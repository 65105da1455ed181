"""Small limits: what takes a thousand landings in production happens after a handful in a simulation."""

from __future__ import annotations

import contextlib
import functools
import importlib
import pkgutil
import sys
from collections.abc import Iterator
from types import ModuleType

SMALL = {
    "SEGMENT": 6,
    "EPOCH_LANDINGS": 3,
    "MAX_LANDINGS": 3,
    "FANOUT": 2,
    "PARTS": 2,
    "POINTS_KEPT": 2,
    "_ALONE": 1,
    "_AT_ONCE": 3,
    # Deltas of contents of a few hundred bytes, groups of two, compaction in windows; chains as long as may be read.
    "LEAST": 32,
    "WINDOW": 12,
    "GROUP_MEMBERS": 2,
    "DELTA_DEPTH": 1,
    "GROUP_DEPTH": 2,
    "MAX_DEPTH": 3,
    # Milliseconds after which a beacon that nobody renews is removed.
    "FORGET": 30_000,
    # Lost swaps after which a landing goes elsewhere.
    "HAND_OVER": 1,
    # Views of Git's refs that stay, and by how many a writer may be overtaken.
    "VIEWS_KEPT": 6,
    "VIEWS_LOST": 3,
}


@functools.cache
def _modules() -> tuple[ModuleType, ...]:
    """Every module of core and ledger, those that production imports late included, and the one of Git's refs."""
    for room in ("mic.core", "mic.ledger"):
        for found in pkgutil.walk_packages(importlib.import_module(room).__path__, f"{room}."):
            importlib.import_module(found.name)
    rooms = ("mic.core", "mic.ledger", "mic.git.view")
    return tuple(sys.modules[name] for name in sorted(sys.modules) if name.startswith(rooms))


@contextlib.contextmanager
def small_limits() -> Iterator[None]:
    """While this lasts, every such module that knows one of the limits knows the small one."""
    changed = [
        (module, name, getattr(module, name)) for module in _modules() for name in SMALL if hasattr(module, name)
    ]
    try:
        for module, name, _ in changed:
            setattr(module, name, SMALL[name])
        yield
    finally:
        for module, name, value in changed:
            setattr(module, name, value)
