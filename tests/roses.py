"""Work of two people and two agents, told apart by goal, author, agent and path: for lists that are narrowed down."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rpc_world import Caller, World

# Newest first, as every list has them.
GOALS = ["100% of it_", "Count roses", "Water the roses"]

# (filters, goals that are left).
NARROWED: tuple[tuple[dict[str, str], list[str]], ...] = (
    ({}, GOALS),
    ({"goal": "ROSES"}, ["Count roses", "Water the roses"]),
    ({"goal": "%"}, ["100% of it_"]),
    ({"agent": "claude"}, ["Water the roses"]),
    ({"author": "rita"}, ["Water the roses"]),
    ({"author": "nobody-there"}, []),
    ({"path": "src"}, ["Count roses", "Water the roses"]),
    ({"path": "src/water.py"}, ["Water the roses"]),
    ({"path": "src", "author": "max"}, ["Count roses"]),
)


def roses(world: World) -> Iterator[tuple[Caller, str, str, Mapping[bytes, bytes]]]:
    """(who, goal, agent, files) of each, oldest first."""
    yield world.rita, "Water the roses", "claude-code", {b"src/water.py": b"1\n", b"docs/a.md": b"2\n"}
    yield world.max, "Count roses", "codex", {b"src/water.py.txt": b"3\n"}
    yield world.max, "100% of it_", "", {b"readme.txt": b"4\n"}
