"""What exactly a run had in it beyond its seed, as a file that a person can read and cut down."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

from mic.sim.faults import KINDS, Fault
from mic.sim.world import Window


class Schedule(NamedTuple):
    """A run to repeat. None for faults or windows: those that the seed draws.

    `drop` names actors that are left out, `skip` sessions as (client, number).
    """

    faults: tuple[Fault, ...] | None = None
    windows: tuple[Window, ...] | None = None
    drop: tuple[str, ...] = ()
    skip: tuple[tuple[int, int], ...] = ()
    profile: str = ""


def write(path: Path, seed: int, schedule: Schedule) -> None:
    """As JSON, one fault a line."""
    lines = [
        "{",
        f' "seed": {seed},',
        f' "profile": {json.dumps(schedule.profile)},',
        f' "drop": {json.dumps(schedule.drop)},',
        f' "skip": {json.dumps(schedule.skip)},',
        f' "windows": {_rows(schedule.windows)},',
        f' "faults": {_rows(schedule.faults)}',
        "}",
    ]
    path.write_text("\n".join(lines) + "\n")


def _rows(items: tuple[Fault, ...] | tuple[Window, ...] | None) -> str:
    if items is None:
        return "null"
    return "[" + ",".join(f"\n  {json.dumps(item)}" for item in items) + "]"


def read(path: Path) -> tuple[int, Schedule]:
    """The seed and the schedule of a file; raises ValueError when it is none."""
    try:
        found = json.loads(path.read_text())
        faults = None if found["faults"] is None else tuple(Fault(*item) for item in found["faults"])
        windows = None if found["windows"] is None else tuple(Window(*item) for item in found["windows"])
        skip = tuple((int(client), int(number)) for client, number in found["skip"])
        schedule = Schedule(faults, windows, tuple(found["drop"]), skip, found["profile"])
        seed = int(found["seed"])
    except (KeyError, TypeError) as error:
        raise ValueError(f"{path} is not a schedule: {error!r}") from error
    if any(fault.kind not in KINDS for fault in faults or ()):
        raise ValueError(f"{path} names a kind of fault that there is not")
    return seed, schedule
