"""Driving tree algorithms in tests: every node they ask for comes from a dictionary."""

from __future__ import annotations

import hashlib
from collections.abc import Generator
from typing import Any

from mic.core.tree import Entry, Node


def drive(algorithm: Generator[Any, Any, Any], nodes: dict[bytes, Node]) -> Any:
    """The result of a tree algorithm."""
    try:
        need = next(algorithm)
        while True:
            need = algorithm.send({node_hash: nodes[node_hash] for node_hash in need})
    except StopIteration as stop:
        return stop.value


def file(path: bytes, seed: int, mode: int = 0o100644) -> Entry:
    """An entry whose content is told by a number."""
    return Entry(path, mode, 0, seed, hashlib.sha256(b"%d" % seed).digest())
