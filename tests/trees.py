"""Driving tree algorithms in tests: every node they ask for comes from a dictionary."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from mic.core.tree import Entry, Node, split


def drive(algorithm: Generator[Any, Any, Any], nodes: Mapping[bytes, Node]) -> Any:
    """The result of a tree algorithm."""
    try:
        need = next(algorithm)
        while True:
            need = algorithm.send({node_hash: nodes[node_hash] for node_hash in need})
    except StopIteration as stop:
        return stop.value


def drive_cold(algorithm: Generator[Any, Any, Any], nodes: Mapping[bytes, Node]) -> tuple[Any, list[int]]:
    """The result of a tree algorithm that was given no nodes, and how many it asked for each time."""
    asked = []
    try:
        need = next(algorithm)
        while True:
            asked.append(len(need))
            need = algorithm.send({node_hash: nodes[node_hash] for node_hash in need})
    except StopIteration as stop:
        return stop.value, asked


def file(path: bytes, seed: int, mode: int = 0o100644) -> Entry:
    """An entry whose content is told by a number."""
    return Entry(path, mode, 0, seed, hashlib.sha256(b"%d" % seed).digest())


@contextmanager
def small_nodes() -> Iterator[None]:
    """Within, the splitter makes nodes of 5 entries in the mean and 18 at most: deep trees of few files."""
    limits = split._LIMITS
    split._LIMITS = [threshold << 32 for threshold in split.thresholds(6, 18)]
    try:
        yield
    finally:
        split._LIMITS = limits
